import { compare, type Options, Random, runAdvantage, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import type { BaselineState } from "../src/advantage.js";
import conformance from "../src/conformance.js";
import { ReinforceAdvantage, ReinforceGate } from "../src/index.js";

testVectors(new URL("../../vectors/reinforce.json", import.meta.url), conformance);

testTerms("ReinforceGate, plain", { component: ReinforceGate });
testTerms("ReinforceGate, clipped", { component: ReinforceGate, options: { clipLow: 0.2, clipHigh: 0.2 } });
testTerms("ReinforceGate, clipped above only", { component: ReinforceGate, options: { clipHigh: 0.2 } });

const estimate = async (options: Options, inputs: Record<string, unknown>): Promise<number[][]> => {
  const { advantages } = await runAdvantage(ReinforceAdvantage, options, inputs);
  return (advantages as ArrayLike<number>[]).map((row) => Array.from(row));
};

describe("REINFORCE's advantages", () => {
  const cases: [promise: string, options: Options, inputs: Record<string, unknown>, advantages: number[][]][] = [
    ["without a baseline every token gets the reward", { baseline: "none" }, { rewards: [2, -1], lengths: [2, 1] }, [[2, 2], [-1]]],
    ["an empty response counts in the batch mean and gets no token", {}, { rewards: [1, 0, 2], lengths: [1, 0, 2] }, [[0], [], [1, 1]]],
    ["equal rewards give nothing", {}, { rewards: [3, 3], lengths: [1, 2] }, [[0], [0, 0]]],
    [
      "a group of one keeps its reward, groups need not be adjacent",
      { baseline: "groupMean" },
      { rewards: [1, 5, 0], lengths: [1, 1, 1], group: [7, 3, 7] },
      [[0.5], [5], [-0.5]],
    ],
    ["gamma discounts from the last token", { baseline: "none", gamma: 0.5 }, { rewards: [1], lengths: [3] }, [[0.25, 0.5, 1]]],
    [
      "the KL of each token adds up to the left",
      { baseline: "none", klCoef: 0.1 },
      { rewards: [1], lengths: [2], oldLogp: [[-1, -2]], refLogp: [[-2, -1]] },
      [[1, 1.1]],
    ],
    [
      "tool output passes the return on unchanged, undiscounted and unpunished",
      { baseline: "none", gamma: 0.5, klCoef: 0.1 },
      { rewards: [1], oldLogp: [[-1, -9, -2, -7]], refLogp: [[-2, 0, -1, 0]], mask: [[1, 0, 1, 0]] },
      [[-0.1 + 0.5 * 1.1, 0, 1.1, 0]],
    ],
    ["fewer than two tokens whiten to 0", { baseline: "none", whiten: "tokens" }, { rewards: [5, 9], lengths: [1, 0] }, [[0], []]],
  ];
  for (const [promise, options, inputs, expected] of cases) {
    it(promise, async () => {
      expect(compare(expected, await estimate(options, inputs), 1e-12)).to.equal(null);
    });
  }

  it("whitens to token mean 0 and sample variance 1, leaving tool output out", async () => {
    const inputs = { rewards: [1, 0, 3], logp: [[0, 0, 0], [0], [0, 0]], mask: [[1, 0, 1], [1], [1, 1]] };
    const advantages = await estimate({ baseline: "none", whiten: "tokens" }, inputs);
    expect(advantages[0]![1]).to.equal(0);
    const own = [advantages[0]![0]!, advantages[0]![2]!, ...advantages[1]!, ...advantages[2]!];
    const mean = own.reduce((a, b) => a + b) / 5;
    expect(mean).to.be.closeTo(0, 1e-12);
    expect(own.reduce((sum, a) => sum + (a - mean) ** 2, 0) / 4).to.be.closeTo(1, 1e-6);
  });

  it("subtracts the moving mean as it was and moves it by the raw rewards", async () => {
    let state: BaselineState = { version: 1, baseline: 0 };
    const seen: number[] = [];
    for (let step = 0; step < 3; step++) {
      const result = await runAdvantage(
        ReinforceAdvantage,
        { baseline: "ema", emaDecay: 0.5 },
        { rewards: [1, 3], lengths: [1, 1] },
        { state },
      );
      seen.push(Number((result.advantages as number[][])[0]![0]));
      state = result.state as BaselineState;
    }
    expect(seen).to.deep.equal([1, 0, -0.5]);
    expect(state).to.deep.equal({ version: 1, baseline: 1.75 });
  });
});

describe("REINFORCE on a two-armed bandit with rewards around 100", () => {
  /** Probability of the better arm after `steps` steps of gradient descent on two logits, 16 draws a step. */
  async function train(baseline: string, steps: number): Promise<{ better: number; spread: number }> {
    const random = new Random(5);
    let logit = 0;
    const gradients: number[] = [];
    for (let step = 0; step < steps; step++) {
      const better = 1 / (1 + Math.exp(-logit));
      const arms = Array.from({ length: 16 }, () => (random.uniform() < better ? 1 : 0));
      const { advantages } = await runAdvantage(
        ReinforceAdvantage,
        { baseline },
        { rewards: arms.map((arm) => 100 + arm), lengths: arms.map(() => 1) },
      );
      const logp = arms.map((arm) => [Math.log(arm === 1 ? better : 1 - better)]);
      const { gradLogp } = runTerms({ component: ReinforceGate }, { logp, advantages });
      const gradient = gradLogp.reduce((sum, [g], i) => sum + g! * (arms[i] === 1 ? 1 - better : -better), 0);
      gradients.push(gradient);
      logit -= gradient;
    }
    const mean = gradients.reduce((a, b) => a + b) / steps;
    return { better: 1 / (1 + Math.exp(-logit)), spread: Math.sqrt(gradients.reduce((s, g) => s + (g - mean) ** 2, 0) / steps) };
  }

  it("prefers the better arm with the batch mean; without a baseline the gradient is drowned in noise", async () => {
    const withMean = await train("batchMean", 50);
    expect(withMean.better).to.be.above(0.9);
    expect((await train("none", 3)).spread).to.be.above(20 * withMean.spread);
  });
});
