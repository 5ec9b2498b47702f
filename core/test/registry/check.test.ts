import { expect } from "chai";
import { CompositionError } from "../../src/errors.js";
import type { ManifestComponent } from "../../src/extension/manifest.js";
import { checkComposition } from "../../src/registry/check.js";
import { resolveConfig } from "../../src/registry/resolve.js";
import { component, type Sandbox, softProject } from "./sandbox.js";

describe("checking a composition", () => {
  let project: Sandbox;
  beforeEach(async () => {
    project = await softProject();
  });
  afterEach(() => project.remove());

  const check = (components: readonly ManifestComponent[], config: object, services: ("judge" | "embed")[] = []): string => {
    project.declare("@proximal/plugin-test", { components });
    const whole = { model: { checkpoint: "m" }, data: { train: "a" }, ...config };
    const resolved = resolveConfig(whole, { cwd: project.folder });
    try {
      checkComposition(resolved, { services });
    } catch (error) {
      expect(error).instanceOf(CompositionError);
      return (error as CompositionError).describe();
    }
    return "";
  };

  const soft = { algorithm: "soft" };
  const row = (name: string) => ({ name, at: "row" as const, dtype: "f64" as const });

  const table: [name: string, components: ManifestComponent[], config: object, ...lines: string[]][] = [
    ["an algorithm with everything it needs", [], soft],
    ["nothing to minimise and no sampler", [], {}, "neither a gate nor an objective", "the run has no sampler"],
    [
      "an advantage without rewards",
      [],
      { ...soft, rewards: [] },
      'advantage "group-normalized" (@proximal/core) reads the column "rewards", which nobody writes',
      "add a reward",
    ],
    [
      "a gate without an advantage",
      [],
      { sampler: { use: "independent" }, gate: { use: "clip" } },
      'gate: gate "clip" (@proximal/core) reads the column "advantages", which nobody writes',
    ],
    [
      "a column that nobody writes",
      [component("gate", "g", { reads: [row("mood")] })],
      { ...soft, gate: { use: "g" } },
      'reads the column "mood"',
      "data: { columns: { mood: <field> } }",
    ],
    [
      "a column that may be missing",
      [component("gate", "g", { reads: [{ ...row("mood"), optional: true }] })],
      { ...soft, gate: { use: "g" } },
    ],
    [
      "a column of the data set",
      [component("gate", "g", { reads: [row("mood")] })],
      { ...soft, gate: { use: "g" }, data: { train: "a", columns: { mood: "feeling" } } },
    ],
    ["a column of the policy", [component("gate", "g", { reads: ["refLogp", "entropy", "hidden"] })], { ...soft, gate: { use: "g" } }],
    [
      "a column that another component writes",
      [component("sampler", "s", { writes: ["hinted"] }), component("advantage", "a", { reads: ["hinted"], writes: ["advantages"] })],
      { ...soft, sampler: { use: "s" }, advantage: { use: "a" } },
    ],
    [
      "a column with two writers",
      [component("sampler", "s", { writes: ["weights"] }), component("advantage", "a", { writes: ["advantages", "weights"] })],
      { ...soft, sampler: { use: "s" }, advantage: { use: "a" } },
      'the column "weights" is written by sampler "s" (@proximal/plugin-test) and advantage "a" (@proximal/plugin-test)',
    ],
    [
      "a column that the data set and a component write",
      [component("sampler", "s", { writes: ["domain"] })],
      { ...soft, sampler: { use: "s" }, data: { train: "a", columns: { domain: "d" } } },
      'the column "domain" is written by the data set (data.columns.domain) and sampler "s"',
    ],
    [
      "two rewards that write the reward",
      [component("reward", "r", { writes: ["rewards"] }), component("reward", "q", { writes: ["rewards"] })],
      { ...soft, rewards: [{ use: "r" }, { use: "q" }] },
    ],
    [
      "a wrapper that writes again what it wraps",
      [component("reward", "outer", { wraps: true, writes: ["correct"] }), component("reward", "r", { writes: ["correct"] })],
      { ...soft, rewards: [{ use: "outer", inner: [{ use: "r" }] }] },
    ],
    [
      "two rewards that write another column",
      [component("reward", "r", { writes: ["correct"] }), component("reward", "q", { writes: ["correct"] })],
      { ...soft, rewards: [{ use: "r" }, { use: "q" }] },
      'the column "correct" is written by reward "r"',
    ],
    [
      "a column that is written too late",
      [component("reward", "r", { reads: ["returns"] }), component("advantage", "a", { writes: ["advantages", "returns"] })],
      { ...soft, rewards: [{ use: "r" }], advantage: { use: "a" } },
      'reward "r" (@proximal/plugin-test) reads the column "returns" before advantage "a" (@proximal/plugin-test) writes it',
    ],
    [
      "a reward that reads an earlier one",
      [component("reward", "r", { writes: ["correct"] }), component("reward", "q", { reads: ["correct"] })],
      { ...soft, rewards: [{ use: "r" }, { use: "q" }] },
    ],
    [
      "a reward that reads a later one",
      [component("reward", "r", { writes: ["correct"] }), component("reward", "q", { reads: ["correct"] })],
      { ...soft, rewards: [{ use: "q" }, { use: "r" }] },
      'reward "q" (@proximal/plugin-test) reads the column "correct" before',
    ],
    [
      "a sampler that selects by reward",
      [component("sampler", "s", { reads: ["rewards", "correct"] }), component("reward", "r", { writes: ["correct"] })],
      { ...soft, sampler: { use: "s" }, rewards: [{ use: "r" }] },
    ],
    [
      "one column with two types",
      [
        component("sampler", "s", { writes: [row("mood")] }),
        component("gate", "g", { reads: [{ name: "mood", at: "token", dtype: "f64" }] }),
      ],
      { ...soft, sampler: { use: "s" }, gate: { use: "g" } },
      'the column "mood" is f64 per row for sampler "s"',
      'f64 per token for gate "g"',
    ],
    [
      "a need that nobody meets",
      [component("gate", "g", { needs: ["tree-path"] })],
      { ...soft, gate: { use: "g" } },
      'gate "g" (@proximal/plugin-test) needs "tree-path", which no part of this run provides',
      "group-of-equal-prompts",
    ],
    ["a need that is met", [component("gate", "g", { needs: ["group-of-equal-prompts"] })], { ...soft, gate: { use: "g" } }],
    ["a service of every run", [component("gate", "g", { requires: ["scoreTokens"] })], { ...soft, gate: { use: "g" } }],
    [
      "a teacher's column",
      [component("gate", "g", { reads: ["teacherLogp"] })],
      { ...soft, gate: { use: "g" }, teacher: { checkpoint: "t" } },
    ],
    [
      "a teacher's column without a teacher",
      [component("gate", "g", { reads: ["teacherLogp"] })],
      { ...soft, gate: { use: "g" } },
      'reads the column "teacherLogp", which nobody writes',
      "name a teacher",
    ],
    ["a teacher whom nobody asks", [], { ...soft, teacher: { checkpoint: "t" } }, 'no component reads "teacherLogp"'],
    [
      "a column of episodes in a run without an environment",
      [component("reward", "r", { reads: ["turns"] })],
      { ...soft, rewards: [{ use: "r" }] },
      'reads the column "turns", which nobody writes',
      "name an environment: environment: { use: … }",
    ],
    [
      "columns of episodes and of their environment, and what needs several turns",
      [
        component("environment", "world", { writes: ["toolCalls"] }),
        component("reward", "r", { reads: ["turns", "toolCalls"], needs: ["multi-turn"] }),
      ],
      { ...soft, environment: { use: "world" }, rewards: [{ use: "r" }] },
    ],
    [
      "a reward that writes what the environment writes",
      [component("environment", "world", { writes: ["toolCalls"] }), component("reward", "r", { writes: ["toolCalls"] })],
      { ...soft, environment: { use: "world" }, rewards: [{ use: "r" }] },
      'the column "toolCalls" is written by environment "world" (@proximal/plugin-test) and reward "r" (@proximal/plugin-test)',
    ],
    [
      "a service that is missing",
      [component("reward", "r", { requires: ["judge"] })],
      { ...soft, rewards: [{ use: "r" }] },
      'reward "r" (@proximal/plugin-test) requires the service "judge"',
      "judge: { use: token-overlap }",
    ],
    [
      "services that the config names",
      [component("reward", "r", { requires: ["judge", "embed"] })],
      { ...soft, rewards: [{ use: "r" }], judge: { use: "token-overlap" }, embed: { use: "hashed-ngrams" } },
    ],
    ["a judge whom nobody asks", [], { ...soft, judge: { use: "token-overlap" } }, "no component requires it"],
  ];
  for (const [name, components, config, ...lines] of table) {
    it(`${lines.length === 0 ? "accepts" : "refuses"} ${name}`, () => {
      const told = check(components, config);
      if (lines.length === 0) expect(told).to.equal("");
      for (const line of lines) expect(told).to.contain(line);
    });
  }

  it("accepts a service that is given from outside", () => {
    expect(check([component("reward", "r", { requires: ["judge"] })], { ...soft, rewards: [{ use: "r" }] }, ["judge"])).to.equal("");
  });
});
