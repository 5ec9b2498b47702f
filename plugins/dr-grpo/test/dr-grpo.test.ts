import { ClipGate, compare, GroupNormalizedAdvantage, runAdvantage, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import plugin from "../src/index.js";

testVectors(new URL("../../vectors/dr-grpo.json", import.meta.url), conformance);

const algorithm = plugin.algorithms!["dr-grpo"]!;
const { use: _advantage, ...advantageOptions } = algorithm.compose.advantage!;
const { use: _gate, ...gateOptions } = algorithm.compose.gate!;
const gate = { component: ClipGate, options: gateOptions };
const facts = { aggregation: "seq-mean-token-sum-norm", run: { maxTokens: 8 } } as const;

testTerms("the clip gate over a fixed length", gate, facts);

describe("Dr. GRPO", () => {
  const advantages = async (rewards: number[], group: number[]) =>
    (await runAdvantage(GroupNormalizedAdvantage, advantageOptions, { rewards, group })).advantages;
  const cases: [promise: string, rewards: number[], group: number[], advantages: number[]][] = [
    ["only centres the rewards", [1, 0, 0, 0], [0, 0, 0, 0], [0.75, -0.25, -0.25, -0.25]],
    ["doubles the advantages with the rewards", [2, 0, 0, 0], [0, 0, 0, 0], [1.5, -0.5, -0.5, -0.5]],
    ["gives a constant group and a group of one 0", [0.1, 0.1, 0.1, 4], [5, 5, 5, 2], [0, 0, 0, 0]],
  ];
  for (const [promise, rewards, group, expected] of cases) {
    it(promise, async () => expect(compare(expected, await advantages(rewards, group), 1e-12)).to.equal(null));
  }

  it("counts a response twice as long twice: no division by its own length", () => {
    const one = { logp: [[-1, -2]], oldLogp: [[-1.1, -2]], advantages: [1] };
    const two = { logp: [[-1, -2, -1, -2]], oldLogp: [[-1.1, -2, -1.1, -2]], advantages: [1] };
    expect(runTerms(gate, two, facts).loss).to.be.closeTo(2 * runTerms(gate, one, facts).loss, 1e-12);
  });

  it("divides by the longest response of the run, empty responses not counted", () => {
    const inputs = { logp: [[-1, -1], []], oldLogp: [[-1, -1], []], advantages: [1, 1] };
    const { loss, gradLogp } = runTerms(gate, inputs, facts);
    expect(loss).to.be.closeTo(-2 / 8, 1e-12);
    expect(compare([[-1 / 8, -1 / 8], []], gradLogp, 1e-12)).to.equal(null);
  });
});
