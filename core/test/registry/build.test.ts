import { cpSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { CORE_FOLDER } from "../../src/config/installation.js";
import { ProximalError } from "../../src/errors.js";
import { buildComposition, checkSecrets, openPolicy, openTeacher, runFactsOf } from "../../src/registry/build.js";
import type { RunComponents } from "../../src/registry/placed.js";
import { resolveConfig } from "../../src/registry/resolve.js";
import { type Sandbox, softProject } from "./sandbox.js";

const plugin = (body: string, component = "Gate"): string => `
import { definePlugin, options, trustRegionGate, Type, ConfigError } from "@proximal/core";
${body}
export default definePlugin({ slug: "test", title: "", provenance: "", components: [${component}] });
`;

/** Code of an engine whose models know one token a letter. */
const LETTERS_ENGINE = `
import { defineAdapter, Type } from "@proximal/core";
export default defineAdapter({
  id: "letters",
  description: "Models without a network",
  modelSchema: Type.Object({ letters: Type.String() }),
  engineSchema: Type.Object({}),
  open: async ({ model: { letters } }) => ({
    tokenizer: { vocabularySize: letters.length, stopTokens: [0], decode: ([id]) => letters[id] },
    close: async () => {},
  }),
});
`;

describe("building a run's components", () => {
  let project: Sandbox;
  before(async () => {
    project = await softProject();
  });
  after(() => project.remove());

  const config = (more: object = {}) =>
    resolveConfig({ model: { checkpoint: "m" }, data: { train: "a" }, algorithm: "soft", ...more }, { cwd: project.folder });
  const build = (more: object = {}): Promise<RunComponents> => {
    const resolved = config(more);
    return buildComposition(resolved, runFactsOf(resolved, { vocabularySize: 64, hiddenSize: 8 }));
  };
  const failure = async (more: object): Promise<string> => {
    try {
      await build(more);
    } catch (error) {
      expect(error).instanceOf(ProximalError);
      return (error as ProximalError).describe();
    }
    throw new Error("nothing was wrong");
  };
  const injected = ({ terms }: RunComponents) =>
    terms[0]!.component as unknown as { options: Record<string, unknown>; facts: Record<string, unknown> };

  it("gives each component its own options and the run's facts", async () => {
    const run = await build({ seed: 5, trainer: { steps: 9 }, gate: { tauPos: 3 } });
    expect(injected(run).options).to.deep.equal({ tauPos: 3, tauNeg: 1.2, window: [0, 1], shape: "sigmoid" });
    expect(injected(run).facts).to.deep.equal({
      seed: 5,
      totalSteps: 9,
      groupSize: 4,
      promptsPerStep: 8,
      maxTokens: 256,
      temperature: 1,
      vocabularySize: 64,
      hiddenSize: 8,
    });
    expect(run.terms.map(({ id, coefficient }) => [id, coefficient])).to.deep.equal([
      ["soft", 1],
      ["kl", 0.04],
    ]);
    expect(run.rewards.map(({ id, weight }) => [id, weight])).to.deep.equal([
      ["exact-match", 0.5],
      ["numeric", 1],
    ]);
    expect(run.aggregation).to.equal("seq-mean-token-mean");
  });

  it("gives an environment its options, and the trainer the limits of its episodes", async () => {
    await project.install(
      "@proximal/plugin-world",
      `
      import { definePlugin, environment, options, Type } from "@proximal/core";
      export class World {
        endOfTurn = [];
        constructor(options) { this.options = options; }
        reset() { return null; }
        step({ state }) { return { state, done: true }; }
      }
      options()(World, undefined, 0);
      environment({ id: "world", options: Type.Object({ size: Type.Number({ default: 3 }) }) })(World);
      export default definePlugin({ slug: "test", title: "", provenance: "", components: [World] });
    `,
    );
    const { environment } = await build({ environment: { use: "world", observationTokens: 9 } });
    expect(environment).to.deep.include({ id: "world", maxTurns: 8, observationTokens: 9 });
    expect((environment!.component as unknown as { options: object }).options).to.deep.equal({ size: 3 });
    expect(config({ environment: { use: "world", size: 2 } }).config.environment).to.deep.equal({ use: "world", maxTurns: 8, size: 2 });
    expect(await failure({ environment: { use: "world", maxTurn: 2 } })).to.contain('did you mean "maxTurns"?');
    expect(await failure({ environment: { use: "word" } })).to.contain('"world"');
  });

  it("builds judge and embedding, unless they are given in code", async () => {
    await project.install(
      "@proximal/plugin-asks",
      `
      import { definePlugin, rewardModel } from "@proximal/core";
      export class Asks { score() { return { rewards: [] }; } }
      rewardModel({ id: "asks", requires: ["judge", "embed"] })(Asks);
      export default definePlugin({ slug: "test", title: "", provenance: "", components: [Asks] });
    `,
    );
    const named = { rewards: [{ use: "asks" }], judge: { use: "token-overlap" }, embed: { use: "hashed-ngrams", dimensions: 16 } };
    const { judge, embed } = await build(named);
    expect(await judge!.component.grade([{ prompt: "", completion: "a", references: ["a"] }])).to.deep.equal([1]);
    expect((await embed!.component.embed(["a"]))[0]).to.have.length(16);
    const resolved = config(named);
    const facts = runFactsOf(resolved, { vocabularySize: 64, hiddenSize: 8 });
    expect(await buildComposition(resolved, facts, { services: ["judge", "embed"] })).to.not.have.any.keys("judge", "embed");

    const remote = { use: "openai", baseUrl: "http://127.0.0.1:1/v1", model: "m", apiKey: "env:PROXIMAL_NO_SUCH_KEY" };
    const hosted = config({ ...named, judge: remote });
    expect(JSON.stringify(hosted.config)).to.contain("env:PROXIMAL_NO_SUCH_KEY");
    expect(() => checkSecrets(hosted))
      .to.throw(ProximalError, "PROXIMAL_NO_SUCH_KEY is not set")
      .with.nested.property("details.path", "judge.apiKey");
    expect(() => checkSecrets(hosted, { services: ["judge"] })).to.not.throw();
    expect(await failure({ ...named, judge: { ...remote, apiKey: "sk-1" } }))
      .to.contain("a secret does not belong into a config")
      .and.not.contain("sk-1");
  });

  it("takes any header of a request from the environment, and refuses a config that holds a key", async () => {
    const asked = (headers: object) => ({ rewards: [{ use: "http", url: "http://127.0.0.1:1/", headers }] });
    expect(() => checkSecrets(config(asked({ "x-team": "env:PROXIMAL_NO_SUCH_TEAM" }))))
      .to.throw(ProximalError, "PROXIMAL_NO_SUCH_TEAM is not set")
      .with.nested.property("details.path", "rewards[0].x-team");
    expect(() => checkSecrets(config(asked({ "x-team": "a" })))).to.not.throw();
    for (const name of ["Authorization", "cookie", "x-api-key"])
      expect(await failure(asked({ [name]: "sk-1" })), name)
        .to.contain("a secret does not belong into a config")
        .and.not.contain("sk-1");
  });

  it("keeps two runs of one process apart", async () => {
    const [first, second] = await Promise.all([build({ gate: { tauPos: 3 }, seed: 1 }), build({ gate: { tauPos: 4 }, seed: 2 })]);
    expect(injected(first)).not.to.equal(injected(second));
    expect([injected(first).options.tauPos, injected(second).options.tauPos]).to.deep.equal([3, 4]);
    expect([injected(first).facts.seed, injected(second).facts.seed]).to.deep.equal([1, 2]);
  });

  it("keeps two components of one class apart", async () => {
    const rewards = [
      { use: "scaled", factor: 3, inner: [{ use: "numeric" }] },
      { use: "scaled", factor: 5, inner: [{ use: "exact-match" }, { use: "scaled", factor: 7, inner: [{ use: "numeric" }] }] },
    ];
    const run = await build({ rewards });
    const factor = (reward: RunComponents["rewards"][number]) =>
      (reward.component as unknown as { options: { factor: number } }).options.factor;
    expect(run.rewards.map(factor)).to.deep.equal([3, 5]);
    expect(factor(run.rewards[1]!.inner[1]!)).to.equal(7);
    expect(run.rewards.map(({ id }) => id)).to.deep.equal(["scaled", "scaled-2"]);
    expect(run.rewards[1]!.inner.map(({ id }) => id)).to.deep.equal(["exact-match", "scaled-3"]);
  });

  it("puts the value of an environment variable in place of a secret's reference, in the component only", async () => {
    process.env.PROXIMAL_TEST_KEY = "hunter2";
    const resolved = config({ rewards: [{ use: "scaled", apiKey: "env:PROXIMAL_TEST_KEY", inner: [{ use: "numeric" }] }] });
    const run = await buildComposition(resolved, runFactsOf(resolved, { vocabularySize: 64, hiddenSize: 8 }));
    expect((run.rewards[0]!.component as unknown as { options: { apiKey: string } }).options.apiKey).to.equal("hunter2");
    expect(JSON.stringify(resolved.config)).not.to.contain("hunter2");
    delete process.env.PROXIMAL_TEST_KEY;
    expect(await failure({ rewards: [{ use: "scaled", apiKey: "env:PROXIMAL_TEST_KEY", inner: [{ use: "numeric" }] }] })).to.contain(
      "PROXIMAL_TEST_KEY is not set",
    );
  });

  it("opens a teacher with the policy's vocabulary alone", async () => {
    const own = await softProject();
    await own.install("@proximal/letters", LETTERS_ENGINE);
    const open = async (policy: string, teacher: string) => {
      const models = { engine: { use: "letters" }, model: { letters: policy }, teacher: { letters: teacher } };
      const resolved = resolveConfig({ ...models, data: { train: "a" }, algorithm: "soft" }, { cwd: own.folder });
      return openTeacher(resolved, await openPolicy(resolved, { valueHead: false }));
    };
    expect((await open("abc", "abc"))!.tokenizer.vocabularySize).to.equal(3);
    for (const other of ["ab", "acb"]) {
      const error = await open("abc", other).catch((thrown) => thrown);
      expect(error).instanceOf(ProximalError);
      expect((error as ProximalError).describe()).to.contain("teacher: the teacher's tokens are not the policy's");
    }
    own.remove();
  });

  it("opens the policy with validated sections and secrets revealed", async () => {
    process.env.PROXIMAL_TEST_KEY = "hunter2";
    const request = (await openPolicy(config({ engine: { apiKey: "env:PROXIMAL_TEST_KEY" }, optimizer: { beta1: 0.5 } }), {
      valueHead: true,
    })) as unknown;
    delete process.env.PROXIMAL_TEST_KEY;
    expect(request).to.deep.equal({
      model: { checkpoint: project.path("m") },
      engine: { threads: 2, provider: "cpu", apiKey: "hunter2" },
      optimizer: { beta1: 0.5, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradNorm: 1 },
      seed: 1,
      valueHead: true,
    });
  });

  describe("names package and component when", () => {
    it("a constructor throws", async () => {
      await project.install(
        "proximal-plugin-throws",
        plugin(`class Gate { constructor() { throw new TypeError("boom"); } }\ntrustRegionGate({ id: "throws" })(Gate);`),
      );
      expect(await failure({ gate: { use: "throws" } })).to.contain(
        'gate: gate "throws" of proximal-plugin-throws 1.2.3 failed in its constructor: boom',
      );
    });

    it("a constructor refuses its options", async () => {
      await project.install(
        "proximal-plugin-refuses",
        plugin(
          `class Gate { constructor() { throw new ConfigError("low is above high", { path: "low" }); } }\ntrustRegionGate({ id: "refuses", options: Type.Object({ low: Type.Number({ default: 1 }) }) })(Gate);`,
        ),
      );
      expect(await failure({ gate: { use: "refuses" } })).to.contain("gate.low: low is above high");
    });

    it("a module cannot be loaded", async () => {
      await project.install("proximal-plugin-breaks", plugin(`class Gate {}\ntrustRegionGate({ id: "breaks" })(Gate);`));
      project.write("node_modules/proximal-plugin-breaks/index.js", "import 'a-package-that-is-missing';");
      // A folder that Node has not loaded yet: a module once loaded stays as it was.
      cpSync(project.path("node_modules/proximal-plugin-breaks"), project.path("moved"), { recursive: true });
      project.write("node_modules/proximal-plugin-breaks/package.json", "{}");
      expect(await failure({ plugins: ["./moved"], gate: { use: "breaks" } })).to.match(
        /proximal-plugin-breaks 1\.2\.3 cannot be loaded: .*a-package-that-is-missing/,
      );
    });

    it("the code no longer has what the manifest names", async () => {
      await project.install("proximal-plugin-stale", plugin(`class Gate {}\ntrustRegionGate({ id: "fresh" })(Gate);`));
      const file = "node_modules/proximal-plugin-stale/manifest.json";
      project.write(file, readFileSync(project.path(file), "utf8").replace('"id": "fresh"', '"id": "stale"'));
      expect(await failure({ gate: { use: "stale" } })).to.contain(
        'proximal-plugin-stale 1.2.3: its manifest names the gate "stale", its code has none',
      );
    });

    it("a package brings a second copy of core", async () => {
      await project.install("proximal-plugin-copy", plugin(`class Gate {}\ntrustRegionGate({ id: "copy" })(Gate);`));
      const copy = "node_modules/proximal-plugin-copy/node_modules/@proximal/core";
      project.write(`${copy}/package.json`, { name: "@proximal/core", version: "0.0.1", exports: "./index.js" });
      project.write(`${copy}/index.js`, "");
      const told = await failure({ gate: { use: "copy" } });
      expect(told).to.contain("proximal-plugin-copy would load a second copy of @proximal/core");
      expect(told).to.contain(CORE_FOLDER);
    });
  });
});
