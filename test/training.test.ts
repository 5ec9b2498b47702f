import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { discover, resolveConfig, resume, train } from "@proximal/core";
import { expect } from "chai";
import { fieldsFor, readsTeacher } from "./fields.js";

const core = new URL("../../core/dist/test/", import.meta.url);
const { TABLE_ENGINE } = (await import(
  new URL("doubles/table-engine.js", core).href
)) as typeof import("../core/test/doubles/table-engine.js");
const { Sandbox } = (await import(new URL("registry/sandbox.js", core).href)) as typeof import("../core/test/registry/sandbox.js");

const { packages } = discover([fileURLToPath(new URL("../..", import.meta.url))]);
const plugins = packages.filter(({ manifest }) => manifest.adapters.length === 0 && manifest.name !== "@proximal/core");
const algorithms = plugins.flatMap(({ manifest }) => Object.entries(manifest.algorithms));

const services = {
  embed: async (texts: readonly string[]) => texts.map((text) => [Math.cos(text.length), Math.sin(text.length)]),
  judge: async (requests: readonly { completion: string }[]) => requests.map(({ completion }) => (completion.length % 3) / 2),
};

/** Texts and formats of some methods in the alphabet of the policy, which has neither letters nor tags. */
const IN_ALPHABET: Readonly<Record<string, object>> = {
  "s-grpo": { sampler: { exitPrompt: "", answerMaxTokens: 2, promptsPerStep: 48 } },
  "curriculum-grpo": { sampler: { budgetTemplate: "{prompt} {budget}" } },
  "apo-a2fm": {
    sampler: { tags: { instant: "0", reasoning: "1", agentic: "2" } },
    rewards: [{ use: "apo-a2fm", tags: { instant: "0", reasoning: "1", agentic: "2" }, inner: [{ use: "exact-match" }] }],
  },
  "craft-gui": {
    rewards: [
      { use: "craft-gui", understandingPattern: "(.*)" },
      { use: "craft-gui-judge", understandingPattern: "(.*)" },
    ],
  },
  "searchgym-rl": { rewards: [{ use: "searchgym-rl", answerPattern: "(.*)" }] },
  etcon: { rewards: [{ use: "etcon" }, { use: "exact-match" }] },
};

/** Every named algorithm, on a policy without a network. */
describe("the algorithm", function () {
  this.timeout(60000);
  const sandbox = new Sandbox();
  let fields: string[];
  after(() => sandbox.remove());

  before(async () => {
    await sandbox.install("@proximal/table", TABLE_ENGINE);
    const own = {
      domain: "sums",
      stratum: 1,
      bundle: 0,
      difficulty: 0.5,
      hops: 1,
      taskKind: "understanding",
      reference: "0",
    };
    const records = Array.from({ length: 6 }, (_, i) => ({
      ...own,
      prompt: `${i}?`,
      answer: `${i % 2}`,
      hints: [`${i}`, `${i}${i % 2}`],
    }));
    fields = Object.keys(records[0]!);
    sandbox.write("data.jsonl", records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  });

  const configOf = (algorithm: string, rewards: readonly object[] | undefined) => {
    const config = {
      algorithm,
      plugins: plugins.map(({ folder }) => folder),
      model: { alphabet: "0123456789? " },
      engine: { use: "table" },
      data: { train: "data.jsonl", evalFraction: 0.2 },
      sampling: { maxTokens: 2 },
      ...(rewards === undefined ? { rewards: [{ use: "exact-match" }] } : {}),
      optimizer: { learningRate: 0.05 },
      trainer: { steps: 4, checkpointEvery: 1 },
      evaluation: { every: 2 },
      ...IN_ALPHABET[algorithm],
    };
    const first = resolveConfig(config, { cwd: sandbox.folder });
    const teacher = readsTeacher(first) ? { teacher: config.model } : {};
    return resolveConfig({ ...config, ...teacher, data: { ...config.data, columns: fieldsFor(first, fields) } }, { cwd: sandbox.folder });
  };
  const metricsOf = (folder: string): string =>
    readFileSync(sandbox.path(folder, "metrics.jsonl"), "utf8").replaceAll(/"(seconds\w*|rss\w*|time\w*|\w*PerSecond)":[^,}]+,?/g, "");

  for (const [id, { compose }] of algorithms) {
    it(`${id} trains, and continues after a stop byte for byte`, async () => {
      const config = configOf(id, (compose as { rewards?: object[] }).rewards);
      const whole = await train(config, { output: sandbox.path(id, "whole"), services });
      expect(whole).to.include({ steps: 4, skippedUpdates: 0 });
      const records = readFileSync(sandbox.path(id, "whole/metrics.jsonl"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, number | null>);
      expect(records.filter(({ loss, updates }) => updates !== 0 && !Number.isFinite(loss))).to.deep.equal([]);
      expect(Math.max(...records.map(({ gradNorm }) => gradNorm ?? 0)), "largest gradient norm").to.be.above(0);
      const stop = new AbortController();
      const output = sandbox.path(id, "stopped");
      const onEvent = (event: { type: string }) => event.type === "step" && stop.abort();
      expect(await train(config, { output, services, signal: stop.signal, onEvent })).to.equal(null);
      await resume(output, { services });
      expect(metricsOf(`${id}/stopped`)).to.equal(metricsOf(`${id}/whole`));
    });
  }
});
