import { runReward } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import fc from "fast-check";
import conformance from "../src/conformance.js";
import { contrastMask, GcpoReward } from "../src/index.js";

testVectors(new URL("../../vectors/gcpo.json", import.meta.url), conformance);

const mask = (correct: number[], usesAux: number[], margin = 0.1) =>
  contrastMask([correct.map((_, row) => row)], { correct, usesAux }, margin)[0];

describe("the group contrast", () => {
  const table: [promise: string, correct: number[], usesAux: number[], margin: number, expected: number][] = [
    ["is 1 where constructions help", [1, 0], [1, 0], 0.1, 1],
    ["is -1 where they hurt", [1, 0], [0, 1], 0.1, -1],
    ["is 0 where all construct", [1, 0], [1, 1], 0.1, 0],
    ["is 0 where none constructs", [1, 0], [0, 0], 0.1, 0],
    ["is 0 at a difference of exactly the margin", [1, 0, 0, 0], [1, 1, 0, 0], 0.5, 0],
    ["ignores rows without a verdict", [1, Number.NaN, 0], [1, 1, 0], 0.1, 1],
  ];
  for (const [promise, correct, usesAux, margin, expected] of table)
    it(promise, () => expect(mask(correct, usesAux, margin)).to.equal(expected));

  it("changes its sign when the two sets are exchanged", () => {
    const row = fc.record({ correct: fc.constantFrom(0, 1), aux: fc.constantFrom(0, 1) });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 12 }), (rows) => {
        const correct = rows.map((r) => r.correct);
        const one = mask(
          correct,
          rows.map((r) => r.aux),
        )!;
        const other = mask(
          correct,
          rows.map((r) => 1 - r.aux),
        )!;
        expect(one + other).to.equal(0);
      }),
    );
  });
});

describe("GcpoReward", () => {
  it("reads constructions and format from the completions, and lengths in tokens", async () => {
    const completions = ["<aux>line</aux><answer>1</answer>", "<answer>2</answer>", "3"];
    const { rewards, metrics } = await runReward(
      GcpoReward,
      { maxLength: 10 },
      { completions, lengths: [5, 10, 20], group: [0, 0, 0] },
      { inner: { rewards: [1, 0, 0] } },
    );
    expect(rewards).to.deep.equal([1 + 1 + 1 + 0.25, 1 + 0.5, 0.5]);
    expect(metrics).to.deep.equal({ maskHelps: 1, maskNeutral: 0, maskHurts: 0 });
  });
});
