import { expect } from "chai";
import { ClipGate, type Context, explainTerms, instantiate, KlRegularizer } from "../../src/index.js";

describe("explaining a loss", () => {
  const parts = [
    { id: "clip", component: instantiate(ClipGate), coefficient: 1, stepShapes: {} },
    { id: "kl", component: instantiate(KlRegularizer, { aggregation: "token-mean" }), coefficient: 0.04, stepShapes: {} },
  ];

  it("prints each term as the equation that is executed, with its weight and mean", () => {
    expect(explainTerms(parts, { aggregation: "seq-mean-token-mean" })).to.deep.equal([
      [
        "  clip: seq-mean-token-mean (mean over non-empty rows of the token mean) of",
        "      −min(r·A, clip(r, 0.8, 1.2)·A)",
        "        r = exp(clip(logp − oldLogp, −20, 20))",
      ].join("\n"),
      [
        "  kl: 0.04 × token-mean (sum over tokens / number of tokens) of",
        "      expm1(clip(−a, −20, 20)) + a",
        "        a = logp − refLogp",
      ].join("\n"),
    ]);
  });

  it("writes the length of a response as |y|", () => {
    const mean = { terms: (context: Context) => ({ value: context.sequenceMean(context.logp) }) };
    const [lines] = explainTerms([{ id: "mean", component: mean, coefficient: 1, stepShapes: {} }], { aggregation: "row-mean" });
    expect(lines!.split("\n").slice(1)).to.deep.equal(["      Σ_T(where(mask, logp, 0)) / max(|y|, 1)", "        |y| = Σ_T(1[mask])"]);
  });
});
