import { ClipGate, type Inputs, runTerms } from "@proximal/core";
import { testTerms } from "@proximal/core/testing";
import { expect } from "chai";
import { CopoGate } from "../src/gate.js";

testTerms("CopoGate", { component: CopoGate });
testTerms("CopoGate without a dual clip, sequence means", {
  component: CopoGate,
  options: { dualClip: null, aggregation: "seq-mean-token-mean" },
});

describe("COPO's loss", () => {
  const logp = [[-0.1, -2], [], [-1.2]];
  const oldLogp = [[-0.9, -1], [], [-1]];
  const columns = { logp, oldLogp, localAdvantages: [0.9, 1, -1.2], globalAdvantages: [-0.7, 1, 0.8] };
  const copo = (localWeights: number[], inputs: Inputs = columns) =>
    runTerms({ component: CopoGate, options: { dualClip: 1.5 } }, { ...inputs, localWeights });

  for (const [promise, w, advantages] of [
    ["is the clipped loss of the local advantage at w = 1", 1, columns.localAdvantages],
    ["is that of the global advantage at w = 0", 0, columns.globalAdvantages],
  ] as const) {
    it(promise, () => {
      const clip = runTerms({ component: ClipGate, options: { dualClip: 1.5 } }, { logp, oldLogp, advantages });
      const blended = copo([w, w, w]);
      expect(blended.loss).to.be.closeTo(clip.loss, 1e-15);
      expect(blended.gradLogp).to.deep.equal(clip.gradLogp);
      expect(blended.observed["copo.clipFractionHigh"]).to.deep.equal(clip.observed["clip.clipFractionHigh"]);
    });
  }

  it("clips each loss for itself: a token may be clipped in one and not in the other", () => {
    const token = { logp: [[-0.5]], oldLogp: [[-1]], localAdvantages: [1], globalAdvantages: [-1] };
    const { gradLogp, observed } = copo([0.25], token);
    // exp(0.5) is above 1.2, where A = 1 has no gradient, and above the dual clip of 1.5, where A = -1 has none.
    expect(gradLogp).to.deep.equal([[0]]);
    expect(observed["copo.clipFractionHigh"]![0]).to.equal(0.25);
  });
});
