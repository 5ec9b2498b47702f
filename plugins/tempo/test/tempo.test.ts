import { runAdvantage } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { TempoAdvantage } from "../src/index.js";
import { prefixValues } from "../src/prefix-values.js";

testVectors(new URL("../../vectors/tempo.json", import.meta.url), conformance);

describe("TEMPO", () => {
  it("telescopes: the TD credits of a unique response sum to its reward minus the group mean", () => {
    const rewards = [1, 0, 0.25];
    const values = prefixValues(
      [
        [1, 2, 3],
        [1, 4],
        [1, 2, 5, 6],
      ],
      rewards,
    );
    for (const [i, v] of values.entries()) expect(v.at(-1)! - v[0]!).to.be.closeTo(rewards[i]! - 1.25 / 3, 1e-12);
  });

  const edges: [title: string, rewards: number[], tokens: number[][], expected: number[][]][] = [
    ["constant rewards give zero", [0.1, 0.1, 0.1], [[1], [2], [3]], [[0], [0], [0]]],
    ["a group of one gives zero", [1], [[1, 2]], [[0, 0]]],
    ["an empty response has no tokens to credit", [1, 0], [[], [4]], [[], [-1.999996000008]]],
  ];
  for (const [title, rewards, tokens, expected] of edges) {
    it(title, async () => {
      const outcome = await runAdvantage(TempoAdvantage, { stdEps: 1e-6 }, { rewards, tokens, group: rewards.map(() => 0) });
      (outcome.advantages as number[][]).forEach((row, i) => {
        expect(row).to.have.length(expected[i]!.length);
        for (const [t, a] of row.entries()) expect(a).to.be.closeTo(expected[i]![t]!, 1e-9);
      });
    });
  }
});
