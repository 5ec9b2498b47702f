import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { diversityScore, editDistance } from "../src/diversity.js";
import { interleave, type PromotionOptions, probabilities, promotionScore, promptWeights, weightedCount } from "../src/promotion.js";

testVectors(new URL("../../vectors/mmr1-vas.json", import.meta.url), conformance);

describe("the diversity of responses", () => {
  const cases: [promise: string, kind: Parameters<typeof diversityScore>[0], responses: number[][], value: number][] = [
    [
      "self-BLEU finds none in equal responses",
      "inverseSelfBleu",
      [
        [1, 2, 3],
        [1, 2, 3],
        [1, 2, 3],
      ],
      0,
    ],
    [
      "self-BLEU finds all where no token is shared",
      "inverseSelfBleu",
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      1,
    ],
    ["self-BLEU needs two responses", "inverseSelfBleu", [[1, 2, 3]], 0],
    [
      "self-BLEU counts a token as often as one reference has it",
      "inverseSelfBleu",
      [[7, 7], [7], [7]],
      1 - (Math.cbrt(0.005) + 2 * Math.cbrt(0.01)) / 3,
    ],
    ["self-BLEU takes an empty response for fully diverse", "inverseSelfBleu", [[], [1]], 1],
    [
      "self-BLEU shortens a short response by the nearest reference",
      "inverseSelfBleu",
      [[1], [1, 2], [1, 2, 3, 4, 5]],
      1 - bleuOf([Math.cbrt(0.01) * Math.exp(1 - 2), Math.cbrt(0.1), Math.cbrt((2 / 5) * (1 / 4) * (0.1 / 3))]),
    ],
    [
      "distinct n-grams of all responses",
      "distinctN",
      [
        [1, 2, 1, 2],
        [1, 2],
      ],
      2 / 4,
    ],
    ["distinct n-grams of responses too short for any", "distinctN", [[1], []], 0],
    ["edit distance over all pairs", "editDistance", [[1, 2, 3], [1, 3], []], (1 + 3 + 2) / 3],
    ["edit distance needs a pair", "editDistance", [[1, 2, 3]], 0],
  ];
  function bleuOf(scores: number[]): number {
    return scores.reduce((a, b) => a + b, 0) / scores.length;
  }
  for (const [promise, kind, responses, value] of cases) {
    it(promise, () => expect(diversityScore(kind, responses, 2)).to.be.closeTo(value, 1e-12));
  }

  it("is a metric where it counts edits", () => {
    expect(editDistance([1, 2, 3, 4], [2, 3, 5])).to.equal(2);
    expect(editDistance([2, 3, 5], [1, 2, 3, 4])).to.equal(2);
  });
});

const o: PromotionOptions = {
  alpha: 1,
  beta: 0,
  diversity: "inverseSelfBleu",
  ngram: 3,
  normalize: "none",
  momentum: 0,
  mixtureRatio: 0.5,
};

describe("the weights of prompts", () => {
  it("follow the variance of the outcome", () => {
    const vps = [
      [0, 0],
      [0, 1],
      [1, 1],
    ].map((correct) => promotionScore(correct, [[1], [1]], o).vps);
    expect(vps).to.deep.equal([0, 0.25, 0]);
  });

  const cases: [promise: string, vps: number[], before: number[] | undefined, options: Partial<PromotionOptions>, weights: number[]][] = [
    ["are the scores themselves", [0.1, 0.3], undefined, {}, [0.1, 0.3]],
    ["remember nothing at momentum 0", [0.1, 0.3], [1, 1], {}, [0.1, 0.3]],
    ["remember the last refresh", [0.1, 0.3], [1, 0.5], { momentum: 0.5 }, [0.55, 0.4]],
    ["take the first refresh as it is", [0.1, 0.3], undefined, { momentum: 0.5 }, [0.1, 0.3]],
    ["lie between 0 and 1 after scaling", [0.1, 0.3, 0.2], undefined, { normalize: "minmax" }, [0, 1, 0.5]],
    ["are 0 for equal scores after scaling", [0.2, 0.2], undefined, { normalize: "minmax" }, [0, 0]],
  ];
  for (const [promise, vps, before, options, weights] of cases) {
    it(promise, () => {
      promptWeights(vps, before, { ...o, ...options }).forEach((weight, i) => {
        expect(weight).to.be.closeTo(weights[i]!, 1e-6);
      });
    });
  }

  it("become probabilities, even ones when all are 0", () => {
    expect(probabilities([1, 3])).to.deep.equal([0.25, 0.75]);
    expect(probabilities([0, 0, 0, 0])).to.deep.equal([0.25, 0.25, 0.25, 0.25]);
  });

  it("share a batch with an even walk, turn by turn", () => {
    expect([weightedCount(9, 0.5), weightedCount(5, 1), weightedCount(5, 0)]).to.deep.equal([4, 5, 0]);
    expect(interleave(["w", "w"], ["u", "u", "u"])).to.deep.equal(["w", "u", "w", "u", "u"]);
  });
});
