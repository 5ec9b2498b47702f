import { ClipGate, compare, type Options, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { DhpoGate } from "../src/index.js";

testVectors(new URL("../../vectors/dhpo.json", import.meta.url), conformance);

const wide = { seqClipLow: 0.05, seqClipHigh: 0.1 };
for (const mixing of ["average", "entropy"]) {
  for (const branchClip of ["pessimistic", "hard", "single"]) {
    testTerms(`DhpoGate, ${mixing}, ${branchClip}`, { component: DhpoGate, options: { mixing, branchClip, ...wide } });
  }
}

const aggregation = "seq-mean-token-mean";
const ratios = (...rows: number[][]) => ({
  logp: rows.map((row) => row.map((r) => Math.log(r) - 2)),
  oldLogp: rows.map((row) => row.map(() => -2)),
});
const run = (options: Options, inputs: Record<string, unknown>) => runTerms({ component: DhpoGate, options }, inputs, { aggregation });

describe("DHPO's mix", () => {
  const inputs = { ...ratios([1.4, 0.9, 0.7], [1.01], [], [0.5, 1.3]), advantages: [[1, -1, 2], [0.5], [], [-1, -2]] };

  it("is GRPO's token clip with weight 1, under any branchClip with a minimum", () => {
    const clip = runTerms({ component: ClipGate }, inputs, { aggregation });
    for (const branchClip of ["pessimistic", "single"]) {
      const one = run({ mixing: "average", tokenWeight: 1, branchClip }, inputs);
      expect(compare({ loss: clip.loss, gradLogp: clip.gradLogp }, one, 1e-12)).to.equal(null);
    }
  });

  it("is GSPO with weight 0: every token gets -A·s/T of its response", () => {
    const row = { ...ratios([1.1, 1]), advantages: [1] };
    const s = Math.sqrt(1.1);
    const { loss, gradLogp } = run({ mixing: "average", tokenWeight: 0, ...wide }, row);
    expect(loss).to.be.closeTo(-s, 1e-12);
    expect(compare([[-s / 2, -s / 2]], gradLogp, 1e-12)).to.equal(null);
    expect(run({ mixing: "average", tokenWeight: 0 }, row).gradLogp).to.deep.equal([[0, 0]]);
  });

  const weights: [promise: string, entropy: number[], weights: number[]][] = [
    ["scales the entropies of a response to 0…1", [1, 3, 2], [0, 1, 0.5]],
    ["is 0 for a response of constant entropy", [0.7, 0.7, 0.7], [0, 0, 0]],
  ];
  for (const [promise, oldEntropy, expected] of weights) {
    it(`by entropy ${promise}`, () => {
      // Only the token branch tells tokens apart: at r = s = 1 the gradient is -(w + (1 - mean w)·…)/T.
      const { gradLogp } = run({}, { ...ratios([1, 1, 1]), advantages: [1], oldEntropy: [oldEntropy] });
      const shared = expected.reduce((sum, w) => sum + (1 - w), 0) / 3;
      expect(compare([expected.map((w) => -(w + shared) / 3)], gradLogp, 1e-7)).to.equal(null);
    });
  }

  it("by entropy is GSPO for a response of one token", () => {
    const { gradLogp } = run(wide, { ...ratios([1.3]), advantages: [-2], oldEntropy: [[5]] });
    expect(compare([[2.6]], gradLogp, 1e-12)).to.equal(null);
    const above = run(wide, { ...ratios([1.3]), advantages: [2], oldEntropy: [[5]] });
    expect(compare([[0]], above.gradLogp, 1e-12)).to.equal(null);
  });
});

describe("DHPO's branches", () => {
  const gradient = (branchClip: string, ratio: number, advantage: number) =>
    run({ mixing: "average", tokenWeight: 1, branchClip }, { ...ratios([ratio]), advantages: [advantage] }).gradLogp[0]![0]!;
  const cases: [ratio: number, advantage: number, pessimistic: number, hard: number][] = [
    [1.5, 1, 0, 0],
    [1.5, -1, 1.5, 0],
    [0.5, 1, -0.5, 0],
    [0.5, -1, 0, 0],
    [1.1, 1, -1.1, -1.1],
  ];
  for (const [ratio, advantage, pessimistic, hard] of cases) {
    it(`at r = ${ratio} and A = ${advantage} have the gradient ${pessimistic} with the minimum, ${hard} with the plain clip`, () => {
      expect(gradient("pessimistic", ratio, advantage)).to.be.closeTo(pessimistic, 1e-12);
      expect(gradient("hard", ratio, advantage)).to.be.closeTo(hard, 1e-12);
    });
  }

  it("report their clipped shares apart", () => {
    const { observed } = run({ mixing: "average" }, { ...ratios([1.5, 1, 1, 1], [1, 1]), advantages: [1, 1] });
    expect(observed["dhpo.clipFractionHigh"]![0]).to.be.closeTo(1 / 6, 1e-12);
    expect(observed["dhpo.sequenceClipFractionHigh"]![0]).to.be.closeTo(1 / 2, 1e-12);
  });
});
