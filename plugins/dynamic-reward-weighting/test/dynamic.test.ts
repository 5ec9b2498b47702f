import { instantiate } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { hypervolume } from "../src/hypervolume.js";
import { DynamicReward } from "../src/index.js";
import { updatedWeights } from "../src/mirror.js";

testVectors(new URL("../../vectors/dynamic-reward-weighting.json", import.meta.url), conformance);

describe("hypervolume", () => {
  const cases: [title: string, points: number[][], reference: number[], volume: number][] = [
    [
      "is that of the union of the boxes",
      [
        [0.6, 0.5],
        [0.4, 0.8],
      ],
      [0.2, 0.2],
      0.18,
    ],
    ["of no points is 0", [], [0, 0], 0],
    ["ignores points not above the reference", [[0.1, 5]], [0.2, 0.2], 0],
    [
      "counts a dominated point once",
      [
        [2, 2, 2],
        [1, 1, 1],
      ],
      [0, 0, 0],
      8,
    ],
    ["in one dimension is a length", [[3], [2]], [1], 2],
  ];
  for (const [title, points, reference, volume] of cases)
    it(title, () => expect(hypervolume(points, reference)).to.be.closeTo(volume, 1e-12));
});

describe("dynamic reward weighting", () => {
  it("takes the first validation as reference and scales by what later ones add", () => {
    const reward = instantiate(DynamicReward, { rewardWeights: [0.5, 0.5], maximize: [true, true] });
    const first = reward.validated(reward.initialState(), [0.2, 0.2]);
    expect(first.meta).to.equal(1);
    const better = reward.validated(first, [0.6, 0.5]);
    expect(better.meta).to.be.closeTo(0.5 + 1.5 * Math.tanh(0.12), 1e-12);
    expect(reward.validated(better, [0.3, 0.3]).meta).to.equal(0.5);
  });

  it("reads its objectives' held-out means from an evaluation", () => {
    const reward = instantiate(DynamicReward, { rewardWeights: [0.5, 0.5], maximize: [true, true] });
    const name = "reward.dynamic-reward-weighting";
    const state = reward.afterEvaluation({
      metrics: { accuracy: 0.1, [`${name}.a`]: 0.3, [`${name}.b`]: 0.4 },
      state: reward.initialState(),
    });
    expect(state.buffer).to.deep.equal([[0.3, 0.4]]);
  });

  it("keeps the weights on the simplex and favours what agrees", () => {
    const weights = updatedWeights([0.5, 0.5], [2, -1], 0.1, 1);
    expect(weights[0]! + weights[1]!).to.be.closeTo(1, 1e-12);
    expect(weights[0]).to.be.above(0.5);
  });

  it("moves the weights only after the accumulated steps, by their mean", () => {
    const reward = instantiate(DynamicReward, { method: "gradient", rewardWeights: [0.5, 0.5], accumulation: 2, learningRate: 1, mu: 1 });
    const once = reward.moved(reward.initialState(), [1, 0]);
    expect(once.weights).to.deep.equal([0.5, 0.5]);
    expect(reward.moved(once, [0, 1]).weights).to.deep.equal([0.5, 0.5]);
  });
});

describe("dynamic reward weighting's conformance map", () => {
  it("takes the paper's weights where a case gives none", async () => {
    const inputs = { rewardComponents: [[1, 0, 0]], state: { buffer: [[0, 0, 0]] }, validation: [0, 0, 0] };
    const { rewards, metaReward } = (await conformance["reward/hypervolume"]!({}, inputs)) as { rewards: number[]; metaReward: number };
    expect(rewards[0]).to.be.closeTo(0.334 * metaReward, 1e-15);
  });
});
