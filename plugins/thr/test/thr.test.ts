import { type Inputs, type Options, runAdvantage } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { ThrAdvantage } from "../src/advantage.js";
import conformance from "../src/conformance.js";
import { influences, type TokenFacts } from "../src/influence.js";
import { thresholdOf, tokenWeight, type WeightOptions } from "../src/weights.js";

testVectors(new URL("../../vectors/thr.json", import.meta.url), conformance);

/** A softmax over the rows of W for the features h. */
const softmax = (W: readonly number[][], h: Float64Array): number[] => {
  const e = W.map((row) => Math.exp(row.reduce((sum, w, d) => sum + w * h[d]!, 0)));
  return e.map((x) => x / e.reduce((a, b) => a + b, 0));
};

describe("THR's influence", () => {
  const W = [
    [0.2, -0.4],
    [0.5, 0.1],
    [-0.3, 0.7],
  ];
  const features = [
    [0.3, 1],
    [-0.8, 0.4],
    [1, -0.2],
    [0.5, 0.5],
    [-0.1, -0.9],
  ].map((h) => Float64Array.from(h));
  const token = (id: number, at: number, of = W): TokenFacts => ({
    token: id,
    hidden: features[at]!,
    probs: new Map(softmax(of, features[at]!).map((p, v) => [v, p])),
  });
  const responses = [[token(0, 0), token(1, 1)], [token(2, 2)], [token(1, 3), token(0, 4)]];
  const correct = [true, true, false];

  it("is the derivative of the correct responses' mean token log-likelihoods along the token's own gradient", () => {
    const likelihood = (of: readonly number[][]) =>
      responses.reduce(
        (sum, tokens, i) =>
          sum + (correct[i] ? tokens.reduce((s, { token, hidden }) => s + Math.log(softmax(of, hidden)[token]!), 0) / tokens.length : 0),
        0,
      );
    const along = ({ token: id, hidden, probs }: TokenFacts, step: number) =>
      W.map((row, v) => row.map((w, d) => w + step * (Number(v === id) - probs.get(v)!) * hidden[d]!));
    const scores = influences(responses, correct);
    responses.forEach((tokens, j) => {
      tokens.forEach((facts, k) => {
        const slope = (likelihood(along(facts, 1e-5)) - likelihood(along(facts, -1e-5))) / 2e-5;
        expect(scores[j]![k]).to.be.closeTo(slope, 1e-8);
      });
    });
  });

  it("drops the coordinates of ids that do not occur in the group", () => {
    const one = [[token(0, 0)], [token(1, 1)]];
    const without = one.map((tokens) => tokens.map((facts) => ({ ...facts, probs: new Map([...facts.probs].filter(([id]) => id !== 2)) })));
    expect(influences(one, [true, false])).to.deep.equal(influences(without, [true, false]));
  });

  it("takes ids without a probability for impossible, and lives with empty responses", () => {
    const certain: TokenFacts = { token: 5, hidden: features[0]!, probs: new Map([[5, 1]]) };
    const unknown: TokenFacts = { ...certain, probs: new Map() };
    expect(influences([[certain], [unknown], []], [true, false, true]).map((row) => [...row])).to.deep.equal([[0], [0], []]);
    expect(influences([[unknown], [unknown]], [true, false])[1]![0]).to.be.closeTo(0.3 ** 2 + 1, 1e-15);
  });
});

describe("THR's weights", () => {
  const o: WeightOptions = { strength: 0.1, thresholdMode: "correctMean", beta: 0.5, threshold: 0.3 };
  const scores = [[2, 4], [1, 1], [], [9]].map((row) => Float64Array.from(row));

  const thresholds: [promise: string, correct: boolean[], options: Partial<WeightOptions>, tau: number][] = [
    ["is beta times the least mean over correct responses", [true, true, true, false], {}, 0.5],
    ["is 0 where all correct responses are empty", [false, false, true, false], {}, 0],
    ["may be fixed", [true, true, true, false], { thresholdMode: "fixed" }, 0.3],
  ];
  for (const [promise, correct, options, tau] of thresholds) {
    it(`have a threshold that ${promise}`, () => expect(thresholdOf(scores, correct, { ...o, ...options })).to.equal(tau));
  }

  const weights: [promise: string, score: number, tau: number, strength: number, weight: number][] = [
    ["amplify what helps", 0.5, 0.3, 0.1, 1.1],
    ["damp what hurts", -0.5, 0.3, 0.1, 0.9],
    ["do the reverse to explore", 0.5, 0.3, -0.1, 0.9],
    ["drop what does neither", 0.2, 0.3, 0.1, 0],
    ["drop at the threshold", 0.3, 0.3, 0.1, 0],
    ["drop nothing below 0", 0, -0.1, 0.1, 1],
    ["drop a score of 0 at threshold 0", 0, 0, 0.1, 0],
  ];
  for (const [promise, score, tau, strength, weight] of weights) {
    it(promise, () => expect(tokenWeight(score, tau, strength)).to.equal(weight));
  }
});

describe("THR's advantages", () => {
  const base: Inputs = {
    rewards: [1, 0],
    tokens: [[1, 2], [3]],
    oldLogp: [[-1, -2], [-3]],
    hidden: [
      [
        [1, 0],
        [0, 1],
      ],
      [[1, 1]],
    ],
    candidateTokens: [
      [
        [1, 2],
        [3, 1],
      ],
      [[3, 2]],
    ],
    candidateProbs: [
      [
        [0.5, 0.5],
        [0.6, 0.4],
      ],
      [[0.7, 0.3]],
    ],
  };
  const specs = {
    candidateTokens: { at: "token", dtype: "i32", width: 2 },
    candidateProbs: { at: "token", dtype: "f64", width: 2 },
  } as const;
  const estimate = async (inputs: Inputs, options: Options = {}) =>
    (await runAdvantage(ThrAdvantage, options, inputs, { specs })) as unknown as Record<"advantages" | "tokenScores", number[][]>;

  it("are GRPO's in a group without both kinds", async () => {
    const { advantages, tokenScores } = await estimate({ ...base, rewards: [1, 0.7] }, { correctThreshold: 0.5 });
    expect(advantages[0]![0]).to.be.closeTo(1, 1e-4);
    expect(tokenScores).to.deep.equal([[0, 0], [0]]);
  });

  it("give a sampled token outside the candidates its own probability", async () => {
    const { tokenScores } = await estimate(base);
    const error = 1 - Math.exp(-2);
    const own = {
      token: 2,
      hidden: Float64Array.of(0, 1),
      probs: new Map([
        [3, 0.6],
        [1, 0.4],
        [2, Math.exp(-2)],
      ]),
    };
    const first = {
      token: 1,
      hidden: Float64Array.of(1, 0),
      probs: new Map([
        [1, 0.5],
        [2, 0.5],
      ]),
    };
    expect(tokenScores[0]![1]).to.be.closeTo(influences([[first, own], [{ ...own, token: 3 }]], [true, false])[0]![1]!, 1e-15);
    expect(tokenScores[0]![1]).to.be.above(0.5 * error ** 2);
  });

  it("do not see masked tokens", async () => {
    const masked = {
      ...base,
      mask: [[1, 0], [1]],
      hidden: [
        [
          [1, 0],
          [Number.NaN, 1],
        ],
        [[1, 1]],
      ],
    };
    const { advantages, tokenScores } = await estimate(masked);
    expect(advantages.flat().every(Number.isFinite)).to.equal(true);
    expect(tokenScores[0]![1]).to.equal(0);
  });
});
