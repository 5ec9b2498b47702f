import { expect } from "chai";
import type { ManifestComponent } from "../../src/extension/manifest.js";
import { describeRun } from "../../src/registry/describe.js";
import { resolveConfig } from "../../src/registry/resolve.js";
import { COMPOSITION_RULES, compositionWarnings } from "../../src/registry/warnings.js";
import { component, type Sandbox, softProject } from "./sandbox.js";

describe("combinations that are known to go wrong", () => {
  let project: Sandbox;
  beforeEach(async () => {
    project = await softProject();
  });
  afterEach(() => project.remove());

  const grpo = {
    sampler: { use: "independent" },
    rewards: [{ use: "exact-match" }],
    advantage: { use: "group-normalized" },
    gate: { use: "clip" },
  };
  const number = (...names: string[]) => ({
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, {}])),
    additionalProperties: false,
  });
  const resolved = (components: readonly ManifestComponent[], config: object) => {
    project.declare("@proximal/plugin-test", { components });
    project.write(
      "node_modules/@proximal/plugin-test/schemas/none.schema.json",
      number("clipLow", "clipHigh", "aggregation", "level", "klCoef", "overlongFilter"),
    );
    return resolveConfig({ model: { checkpoint: "m" }, data: { train: "a" }, ...grpo, ...config }, { cwd: project.folder });
  };

  const gate = (conventions: Record<string, string>) => [component("gate", "g", { conventions })];
  const reward = (id: string, conventions: Record<string, string> = {}) => component("reward", id, { conventions });
  const table: [title: string, components: readonly ManifestComponent[], config: object, path: string | null, message?: RegExp][] = [
    ["GRPO", [], {}, null],
    [
      "a response's ratio, mean over tokens",
      gate({ ratioLevel: "sequence mean" }),
      { gate: { use: "g", aggregation: "token-mean" } },
      "gate",
      /averaged over tokens/,
    ],
    [
      "a response's ratio by an option, the run's mean over tokens",
      gate({}),
      { gate: { use: "g", level: "sequence" } },
      "gate",
      /averaged over tokens/,
    ],
    [
      "a response's ratio, mean over responses",
      gate({ ratioLevel: "sequence mean" }),
      { gate: { use: "g", aggregation: "seq-mean-token-mean" } },
      null,
    ],
    [
      "a std in the reward and one in the advantage",
      [reward("r", { std: "batch" })],
      { rewards: [{ use: "r" }] },
      "advantage",
      /standard deviation/,
    ],
    [
      "a std in the reward alone",
      [reward("r", { std: "batch" })],
      { rewards: [{ use: "r" }], advantage: { use: "group-normalized", scale: "none" } },
      null,
    ],
    [
      "KL in the advantage and in the loss",
      [component("advantage", "a", { writes: ["advantages"] })],
      { advantage: { use: "a", klCoef: 0.1 }, regularizers: [{ use: "kl", coefficient: 0.1 }] },
      "regularizers[0]",
      /counted in the reward/,
    ],
    [
      "KL in the loss alone",
      [component("advantage", "a", { writes: ["advantages"] })],
      { advantage: { use: "a", klCoef: 0 }, regularizers: [{ use: "kl", coefficient: 0.1 }] },
      null,
    ],
    [
      "token ranges on a response's ratio",
      gate({ ratioLevel: "sequence mean", aggregation: "fixed" }),
      { gate: { use: "g", clipLow: 0.2, clipHigh: 0.2 } },
      "gate",
      /hardly ever act/,
    ],
    [
      "a response's ranges on its ratio",
      gate({ ratioLevel: "sequence mean", aggregation: "fixed" }),
      { gate: { use: "g", clipLow: 3e-4, clipHigh: 4e-4 } },
      null,
    ],
    [
      "token ranges on the product of a response's ratios",
      gate({ ratioLevel: "sequence product", aggregation: "fixed" }),
      { gate: { use: "g", clipLow: 0.2 } },
      null,
    ],
    ["a response's ranges on token ratios", [], { gate: { use: "clip", clipLow: 3e-4, clipHigh: 4e-4 } }, "gate", /nearly every token/],
    [
      "length divided out twice",
      [reward("r", { length: "divided by the length" })],
      { rewards: [{ use: "r" }], gate: { use: "clip", aggregation: "seq-mean-token-mean" } },
      "gate",
      /divides by the length/,
    ],
    ["length divided out in the reward alone", [reward("r", { length: "divided by the length" })], { rewards: [{ use: "r" }] }, null],
    ["recomputed log-probs and one update", [], { trainer: { recomputeOldLogp: true } }, "trainer.recomputeOldLogp", /every ratio is 1/],
    ["recomputed log-probs and two updates", [], { trainer: { recomputeOldLogp: true, epochs: 2 } }, null],
    ["two updates without a ratio", gate({ ratioAnchor: "none" }), { gate: { use: "g" }, trainer: { miniBatches: 2 } }, "gate", /biased/],
    ["one update without a ratio", gate({ ratioAnchor: "none" }), { gate: { use: "g" } }, null],
    ["groups of one", [], { sampler: { use: "independent", groupSize: 1 } }, "sampler", /nothing is learned/],
    [
      "groups of one that keep their reward",
      [],
      { sampler: { use: "independent", groupSize: 1 }, advantage: { use: "group-normalized", groupOfOne: "raw" } },
      null,
    ],
    [
      "more mini-batches than groups",
      [],
      { sampler: { use: "independent", promptsPerStep: 4 }, trainer: { miniBatches: 8 } },
      "trainer.miniBatches",
      /groups stay whole: 4 of them make 4 updates/,
    ],
    ["as many mini-batches as groups", [], { sampler: { use: "independent", promptsPerStep: 4 }, trainer: { miniBatches: 4 } }, null],
    ["rewards that are only reported", [], { rewards: [{ use: "exact-match", weight: 0 }] }, "rewards[0]", /nothing is learned/],
    [
      "a punishment of responses that are left out",
      [...gate({}), reward("overlong")],
      { rewards: [{ use: "exact-match" }, { use: "overlong" }], gate: { use: "g", overlongFilter: true } },
      "gate",
      /teaches nothing/,
    ],
  ];
  const seen = new Set<string>();
  for (const [title, components, config, path, message] of table) {
    it(`${path === null ? "says nothing of" : "warns of"} ${title}`, () => {
      const run = resolved(components, config);
      const found = compositionWarnings(run);
      for (const { rule } of found) seen.add(rule);
      expect(found.map((warning) => warning.path)).to.deep.equal(path === null ? [] : [path]);
      if (message !== undefined) expect(found[0]!.message).to.match(message);
      expect(describeRun(run).filter((line) => line.startsWith("  warning"))).to.have.length(found.length);
    });
  }

  it("has a case for every rule", () => expect([...seen].sort()).to.deep.equal([...COMPOSITION_RULES].sort()));
});
