import { expect } from "chai";
import type { ResolvedConfig } from "../../src/config/resolve.js";
import { ProximalError } from "../../src/errors.js";
import { resolveConfig } from "../../src/registry/resolve.js";
import { type Sandbox, softProject } from "../registry/sandbox.js";

const BASE = "model: { checkpoint: m }\ndata: { train: a.jsonl }\n";

describe("resolving a config", () => {
  let project: Sandbox;
  before(async () => {
    project = await softProject();
  });
  after(() => project.remove());

  const resolve = (text: string, set: string[] = []): ResolvedConfig => {
    project.write("run.yaml", text);
    return resolveConfig("run.yaml", { cwd: project.folder, set });
  };

  const failure = (text: string, set: string[] = []): string => {
    try {
      resolve(text, set);
    } catch (error) {
      expect(error).instanceOf(ProximalError);
      return (error as ProximalError).describe();
    }
    throw new Error("the config was accepted");
  };

  describe("explains a mistake with its place, what was given, what is accepted and the nearest valid name", () => {
    const mistakes: [name: string, text: string, ...lines: string[]][] = [
      ["an unknown key", `${BASE}algorithm: soft\nsede: 3\n`, 'run.yaml:4 at sede: unknown key "sede"', 'did you mean "seed"?'],
      [
        "a key of a section at the top",
        `${BASE}algorithm: soft\nsteps: 3\n`,
        'run.yaml:4 at steps: unknown key "steps"',
        'did you mean "trainer.steps"?',
      ],
      [
        "a misspelt key of a section at the top",
        `${BASE}algorithm: soft\nlearning-rate: 3\n`,
        'run.yaml:4 at learning-rate: unknown key "learning-rate"',
        'did you mean "optimizer.learningRate"?',
      ],
      [
        "an unknown key of a section",
        `${BASE}algorithm: soft\nsampling:\n  temprature: 1\n`,
        'run.yaml:5 at sampling.temprature: unknown key "temprature"',
        "accepted: maxTokens, temperature, topP, topK, minP, repetitionPenalty, stopStrings",
        'did you mean "temperature"?',
      ],
      [
        "a component's unknown option",
        `${BASE}algorithm: soft\ngate:\n  tauPoz: 1\n`,
        'run.yaml:5 at gate.tauPoz: unknown key "tauPoz"',
        'did you mean "tauPos"?',
      ],
      [
        "a wrong type",
        `${BASE}algorithm: soft\ntrainer: { steps: many }\n`,
        "run.yaml:4 at trainer.steps",
        "given:    many",
        "accepted: an integer ≥ 1",
      ],
      [
        "a number out of range",
        `${BASE}algorithm: soft\ngate: { tauPos: -1 }\n`,
        "run.yaml:4 at gate.tauPos",
        "given:    -1",
        "accepted: a number > 0",
      ],
      [
        "a value that is not in a list",
        `${BASE}algorithm: soft\noptimizer: { schedule: cosin }\n`,
        "run.yaml:4 at optimizer.schedule",
        "accepted: constant, linear or cosine",
        'did you mean "cosine"?',
      ],
      ["a component's choice", `${BASE}algorithm: soft\ngate: { shape: tanhh }\n`, "accepted: sigmoid or tanh", 'did you mean "tanh"?'],
      [
        "an entry of a pair",
        `${BASE}algorithm: soft\ngate: { window: [0, -1] }\n`,
        "run.yaml:4 at gate.window[1]",
        "accepted: a number ≥ 0",
      ],
      [
        "a pair of three",
        `${BASE}algorithm: soft\ngate: { window: [0, 1, 2] }\n`,
        "run.yaml:4 at gate.window",
        "accepted: a list [a number, a number ≥ 0]",
      ],
      [
        "none of several types",
        `${BASE}algorithm: soft\noptimizer: { maxGradNorm: -1 }\n`,
        "run.yaml:4 at optimizer.maxGradNorm",
        "accepted: a number > 0 or null",
      ],
      [
        "a mistake inside one of several types",
        `${BASE}algorithm: soft\ntrainer: { aggregation: { kind: seq-mean-token-sum-norm } }\n`,
        'run.yaml:4 at trainer.aggregation.fixedLength: "fixedLength" is missing',
      ],
      ["a missing section", "algorithm: soft\nmodel: { checkpoint: m }\n", 'run.yaml:1 at data: "data" is missing'],
      [
        "a missing key",
        "algorithm: soft\nmodel: { checkpoint: m }\ndata: {}\n",
        'run.yaml:3 at data.train: "train" is missing',
        "accepted: a path",
      ],
      [
        "a model that is empty",
        "algorithm: soft\nmodel: {}\ndata: { train: a }\n",
        "run.yaml:2 at model",
        "accepted: an object with checkpoint or an object with layers, width, tokenizer",
      ],
      [
        "a misspelt key of one kind of model",
        "algorithm: soft\nmodel: { checkpiont: m }\ndata: { train: a }\n",
        'run.yaml:2 at model.checkpiont: unknown key "checkpiont"',
        'did you mean "checkpoint"?',
      ],
      [
        "a missing key of one kind of model",
        "algorithm: soft\nmodel: { layers: 2 }\ndata: { train: a }\n",
        'run.yaml:2 at model.tokenizer: "tokenizer" is missing',
      ],
      [
        "an unknown key of the engine",
        `${BASE}algorithm: soft\nengine: { thread: 2 }\n`,
        "run.yaml:4 at engine.thread",
        'did you mean "threads"?',
      ],
      [
        "an algorithm that is not installed",
        `${BASE}algorithm: softt\n`,
        'run.yaml:3 at algorithm: no installed package provides the algorithm "softt"',
        'did you mean "soft"? Or install it: npm i @proximal/plugin-softt',
      ],
      ["a variant of an algorithm that is not installed", `${BASE}algorithm: dapo@verl\n`, "hint:     npm i @proximal/plugin-dapo"],
      [
        "a component that is not installed",
        `${BASE}algorithm: soft\ngate: { use: sapo }\n`,
        'run.yaml:4 at gate.use: no installed package provides the gate "sapo"',
        "accepted: clip, soft",
        "npm i @proximal/plugin-sapo",
      ],
      ["an id that no package can have", `${BASE}algorithm: soft\ngate: { use: "My Gate" }\n`, "accepted: clip, soft"],
      ["a component at the wrong place", `${BASE}algorithm: soft\nregularizers: [{ use: clip }]\n`, '"clip" is a gate, not a regularizer'],
      ["an engine that is not installed", `${BASE}algorithm: soft\nengine: { use: vllm }\n`, "npm i @proximal/vllm"],
      ["options for a component that nobody names", `${BASE}gate: { tauPos: 1 }\n`, "run.yaml:3 at gate.use: no gate is named here"],
      [
        "an element of a list",
        `${BASE}algorithm: soft\nrewards:\n  - use: exact-match\n  - use: numeric\n    wieght: 2\n`,
        "run.yaml:7 at rewards[1].wieght",
      ],
      ["a list that is none", `${BASE}algorithm: soft\nrewards: exact-match\n`, "run.yaml:4 at rewards", "accepted: a list of: an object"],
      [
        "an element that is no object",
        `${BASE}algorithm: soft\nrewards: [exact-match]\n`,
        "run.yaml:4 at rewards[0]",
        "accepted: an object",
      ],
      ["a gate beside an objective", `${BASE}gate: { use: soft }\nobjective: { use: soft }\n`, "gate and objective exclude each other"],
      [
        "a wrapper without inner rewards",
        `${BASE}algorithm: soft\nrewards: [{ use: scaled }]\n`,
        "run.yaml:4 at rewards[0].inner",
        "wraps others",
      ],
      [
        "an inner reward",
        `${BASE}algorithm: soft\nrewards:\n  - use: scaled\n    inner:\n      - use: exact-mach\n`,
        "run.yaml:7 at rewards[0].inner[0].use",
        'did you mean "exact-match"?',
      ],
      ["inner rewards where nothing wraps", `${BASE}algorithm: soft\nrewards: [{ use: numeric, inner: [] }]\n`, 'unknown key "inner"'],
      [
        "the same name twice",
        `${BASE}algorithm: soft\nrewards: [{ use: numeric, name: a }, { use: numeric, name: a }]\n`,
        'run.yaml:4 at rewards[1].name: the name "a" is given twice',
      ],
      [
        "a secret in the config",
        `${BASE}algorithm: soft\nengine: { apiKey: hunter2 }\n`,
        "run.yaml:4 at engine.apiKey",
        "accepted: env:NAME",
      ],
      [
        "a secret in an option",
        `${BASE}algorithm: soft\nrewards: [{ use: scaled, apiKey: hunter2, inner: [{ use: numeric }] }]\n`,
        "accepted: env:NAME",
      ],
      ["a format version of the future", `${BASE}algorithm: soft\nformatVersion: 2\n`, "run.yaml:4 at formatVersion", "accepted: 1"],
      ["not a number", `${BASE}algorithm: soft\nsampling: { temperature: .nan }\n`, "run.yaml:4 at sampling.temperature"],
      ["a plugin that is not installed", `${BASE}plugins: [proximal-plugin-none]\n`, 'the plugin "proximal-plugin-none" is not installed'],
      ["YAML that is none", "a: [1\n", "run.yaml:"],
      ["a key twice", "seed: 1\nseed: 2\n", "run.yaml:2", "a key stands twice"],
      ["a config that is a list", "- 1\n", "a config is an object of sections"],
    ];
    for (const [name, text, ...lines] of mistakes) {
      it(name, () => {
        const told = failure(text);
        for (const line of lines) expect(told).to.contain(line);
        expect(told).not.to.contain("hunter2");
      });
    }

    it("all of them at once", () => {
      const told = failure(`${BASE}algorithm: soft\nsede: 1\ngate: { tauPoz: 1 }\nrewards: [{ use: numbric }]\nengine: { thread: 1 }\n`);
      for (const name of ["sede", "tauPoz", "numbric", "thread"]) expect(told).to.contain(name);
    });

    it("an override as it was typed", () => {
      expect(failure(`${BASE}algorithm: soft\n`, ["trainer.steps=0"])).to.contain("--set trainer.steps=0 at trainer.steps");
    });
  });

  it("fills every default", () => {
    const config = resolve(`${BASE}algorithm: soft\n`);
    expect(config.sampling).to.deep.equal({
      maxTokens: 256,
      temperature: 1,
      topP: 1,
      topK: 0,
      minP: 0,
      repetitionPenalty: 1,
      stopStrings: [],
    });
    expect(config.engine).to.deep.equal({ threads: 2, provider: "cpu" });
    expect(config.gate?.options).to.deep.equal({ tauPos: 1, tauNeg: 1.2, window: [0, 1], shape: "sigmoid" });
    expect(config.sampler?.options).to.deep.equal({ groupSize: 4, promptsPerStep: 8, shuffle: true });
    expect(config.optimizer.maxGradNorm).to.equal(1);
    expect(config.name).to.equal("run");
  });

  describe("puts the config's sections over the algorithm's", () => {
    const gate = (config: ResolvedConfig) => [config.gate?.id, config.gate?.options, config.gate?.origin];
    const cases: [name: string, text: string, pick: (config: ResolvedConfig) => unknown, expected: unknown][] = [
      ["a part left out is the algorithm's", "", gate, ["soft", { tauPos: 1, tauNeg: 1.2, window: [0, 1], shape: "sigmoid" }, "algorithm"]],
      [
        "a section without `use` changes options",
        "gate: { tauPos: 3 }",
        gate,
        ["soft", { tauPos: 3, tauNeg: 1.2, window: [0, 1], shape: "sigmoid" }, "algorithm, changed by config"],
      ],
      [
        "a section with `use` starts from the component's own defaults",
        "gate: { use: soft }",
        gate,
        ["soft", { tauPos: 1, tauNeg: 1.05, window: [0, 1], shape: "sigmoid" }, "config"],
      ],
      ["a section with `use` replaces the component", "gate: { use: clip }", ({ gate }) => gate?.id, "clip"],
      ["a list replaces the list", "rewards: [{ use: format, pattern: x }]", ({ rewards }) => rewards.map(({ id }) => id), ["format"]],
      ["an empty list removes the parts", "regularizers: []", ({ regularizers }) => regularizers, []],
      [
        "trainer settings are merged",
        "trainer: { steps: 7 }",
        ({ trainer }) => [trainer.steps, trainer.epochs, trainer.aggregation],
        [7, 2, "seq-mean-token-mean"],
      ],
      ["the config's aggregation wins", "trainer: { aggregation: token-mean }", ({ trainer }) => trainer.aggregation, "token-mean"],
      [
        "weights and coefficients are the host's",
        "",
        ({ rewards, regularizers }) => [rewards.map((r) => r.weight), regularizers[0]?.coefficient],
        [[0.5, 1], 0.04],
      ],
      [
        "equal components get names of their own",
        "rewards: [{ use: numeric }, { use: numeric }]",
        ({ rewards }) => rewards.map((r) => r.name),
        ["numeric", "numeric-2"],
      ],
    ];
    for (const [name, text, pick, expected] of cases) {
      it(name, () => expect(pick(resolve(`${BASE}algorithm: soft\n${text}\n`))).to.deep.equal(expected));
    }
  });

  describe("applies overrides", () => {
    const cases: [set: string[], pick: (config: ResolvedConfig) => unknown, expected: unknown][] = [
      [["optimizer.learningRate=3e-4"], ({ optimizer }) => optimizer.learningRate, 3e-4],
      [["trainer.steps=5", "trainer.steps=6"], ({ trainer }) => trainer.steps, 6],
      [["data.evalFraction=0.25"], ({ data }) => data.evalFraction, 0.25],
      [["gate.tauPos=2"], ({ gate }) => gate?.options.tauPos, 2],
      [["optimizer.maxGradNorm=null"], ({ optimizer }) => optimizer.maxGradNorm, null],
      [["rewards[1].weight=3"], ({ rewards }) => rewards.map((r) => r.weight), [0.5, 3]],
      [["rewards.0.use=numeric"], ({ rewards }) => rewards[0]?.id, "numeric"],
      [["regularizers[1]={use: entropy, coefficient: 0.1}"], ({ regularizers }) => regularizers.map((r) => r.id), ["kl", "entropy"]],
      [["regularizers=[]"], ({ regularizers }) => regularizers.length, 0],
      [["algorithm=soft", "regularizers[0].coefficient=0.5"], ({ regularizers }) => regularizers[0]?.coefficient, 0.5],
    ];
    for (const [set, pick, expected] of cases) {
      it(set.join(" "), () => expect(pick(resolve(`${BASE}algorithm: soft\n`, set))).to.deep.equal(expected));
    }

    for (const [set, message] of [
      ["steps", "names no value"],
      ["=3", "names no value"],
      ["trainer..steps=3", "names no value"],
      ["trainer.steps=[", "is not YAML"],
      ["rewards[9].weight=1", "is a list of 2"],
      ["seed.deep=1", "seed"],
    ] as const) {
      it(`refuses ${set}`, () => expect(failure(`${BASE}algorithm: soft\nseed: 1\n`, [set])).to.contain(message));
    }
  });

  it("takes paths relative to the config, those of overrides relative to the working directory", () => {
    project.write("configs/run.yaml", "algorithm: soft\nmodel: { checkpoint: ../m }\ndata: { train: a.jsonl }\noutput: out\n");
    const config = resolveConfig("configs/run.yaml", { cwd: project.folder, set: ["data.eval=b.jsonl"] });
    expect([config.model.checkpoint, config.data.train, config.data.eval, config.output]).to.deep.equal(
      ["m", "configs/a.jsonl", "b.jsonl", "configs/out"].map((path) => project.path(path)),
    );
  });

  it("fills the defaults of the kind of model that is meant", () => {
    const { model } = resolve("algorithm: soft\nmodel: { layers: 2, tokenizer: t }\ndata: { train: a }\n");
    expect(model).to.deep.equal({ layers: 2, width: 64, tokenizer: project.path("t") });
  });

  it("puts runs into the working directory when no output is named", () => {
    expect(resolve(`${BASE}algorithm: soft\nname: first\n`).output).to.equal(project.path("runs", "first"));
  });

  it("reads JSON with line numbers as it reads YAML", () => {
    project.write(
      "run.json",
      '{\n\t"model": { "checkpoint": "m" },\n\t"data": { "train": "a" },\n\t"algorithm": "soft",\n\t"trainer": { "step": 1 }\n}\n',
    );
    expect(() => resolveConfig("run.json", { cwd: project.folder }))
      .to.throw(ProximalError, "unknown key")
      .with.nested.property("details.file", "run.json:5");
  });

  it("is complete: the resolved config resolves to itself", () => {
    const first = resolve(
      `${BASE}algorithm: soft\nrewards:\n  - { use: numeric, weight: 2 }\n  - { use: numeric }\n  - use: scaled\n    inner: [{ use: exact-match }]\n`,
    );
    const second = resolveConfig(first.config, { cwd: project.folder });
    expect(second.config).to.deep.equal(first.config);
    expect(JSON.parse(JSON.stringify(second.config))).to.deep.equal(JSON.parse(JSON.stringify(first.config)));
  });

  it("keeps secrets as references", () => {
    const config = resolve(`${BASE}algorithm: soft\nengine: { apiKey: "env:TOY_KEY" }\n`);
    expect(config.config.engine).to.deep.include({ apiKey: "env:TOY_KEY" });
  });

  it("accepts a config for supervised training without any component", () => {
    const { sft, sampler } = resolve(`${BASE}sft: { steps: 9 }\n`);
    expect([sft, sampler]).to.deep.equal([{ steps: 9, batchSize: 32, evalEvery: 0 }, undefined]);
  });

  it("loads a plugin from a folder that the config names", async () => {
    await project.install(
      "my-own",
      'import { definePlugin } from "@proximal/core";\nexport default definePlugin({ slug: "own", title: "Own", provenance: "", components: [], algorithms: { own: { description: "", compose: { gate: { use: "clip" } } } } });\n',
      { at: "own" },
    );
    expect(resolve(`${BASE}plugins: [./own]\nalgorithm: own\n`).gate?.id).to.equal("clip");
  });
});
