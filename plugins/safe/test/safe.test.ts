import { Batch, instantiate, NO_RUN, runUpdate } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { SafeAdvantage, whitened } from "../src/advantage.js";
import conformance from "../src/conformance.js";
import { advance, type ControllerOptions, initialController, phaseOf, type Reading } from "../src/controller.js";
import { freshCritic, heads, layerNorm, softMin, trained, valueLoss } from "../src/critic.js";
import { type PenaltyState, SafeRegularizer } from "../src/regularizer.js";
import { including, noRewards, normalized } from "../src/reward-statistics.js";

testVectors(new URL("../../vectors/safe.json", import.meta.url), conformance);

const state: PenaltyState = {
  ...initialController(),
  klShort: 0.5,
  verdict: { threshold: 0.3, entropyFactor: 2, penalty: 0.7, slope: 0.4 },
};
for (const penaltyForm of ["constant", "gradient"]) {
  testTerms(`SafeRegularizer, ${penaltyForm}`, { component: SafeRegularizer, options: { penaltyForm }, state });
}

const o: ControllerOptions = { baseThreshold: 0.3, entropyFloor: 2, kp: 0.3, ki: 0.01, kd: 0.05, phaseWindow: 50, penaltyScale: 0.1 };
const after = (readings: readonly Partial<Reading>[], options: Partial<ControllerOptions> = {}) => {
  let [controller, last] = [initialController(), undefined as ReturnType<typeof advance> | undefined];
  for (const reading of readings) {
    last = advance(controller, { kl: 0, entropy: 1, reward: 0, ...reading }, { ...o, ...options });
    controller = last.state;
  }
  return last!;
};

describe("SAFE's controller", () => {
  const phases: [promise: string, rewards: number[], phase: string][] = [
    ["warms up for a window", [1], "WARMUP"],
    ["is on a plateau after one window of middling rewards", [0.5, 0.5], "PLATEAU"],
    ["has converged where high rewards stand still", [0.8, 0.81], "CONVERGED"],
    ["climbs from window to window", [0.5, 0.5, 0.6, 0.6], "CLIMBING"],
    ["does not climb within its first two windows", [0.1, 0.5, 0.9], "PLATEAU"],
    ["needs more than 0.01 to climb", [0.8, 0.8, 0.805, 0.805], "CONVERGED"],
    ["forgets what is older than two windows", [0, 0, 0.8, 0.8, 0.8, 0.8], "CONVERGED"],
  ];
  for (const [promise, rewards, phase] of phases) {
    it(promise, () => expect(phaseOf(rewards, 2)).to.equal(phase));
  }

  it("penalises low entropy by 2.0/0.6 against ½ at high entropy", () => {
    const penalty = (entropy: number) => after([{ kl: 20, entropy }]).verdict.penalty;
    expect(penalty(0.5) / penalty(4)).to.be.closeTo(2 / 0.6 / 0.5, 1e-12);
  });

  it("lowers the threshold when the reward falls", () => {
    const fall = [1, 0.8, 0.5, 0.1].map((reward) => ({ reward }));
    const rise = [0, 0.2, 0.5, 0.9].map((reward) => ({ reward }));
    expect(after(fall).verdict.threshold).to.be.below(after(rise).verdict.threshold);
  });

  it("keeps the threshold within 0.1 and 0.6", () => {
    expect(after([{}], { baseThreshold: 5 }).verdict.threshold).to.equal(0.6);
    expect(after([{}], { baseThreshold: 1e-3 }).verdict.threshold).to.equal(0.1);
  });

  it("relaxes under a negative KL, and penalises nothing at or below the threshold", () => {
    const { state: next, verdict } = after([{ kl: 1 }, { kl: -5 }]);
    expect(next.klShort).to.be.below(0);
    expect(verdict).to.include({ penalty: 0, slope: 0, entropyFactor: 1 });
  });

  it("has the slope of its penalty in the newest KL", () => {
    const [kl, h] = [8, 1e-5];
    const penalty = (x: number) => after([{ kl: x, entropy: 0.5 }]).verdict.penalty;
    expect(after([{ kl, entropy: 0.5 }]).verdict.slope).to.be.closeTo((penalty(kl + h) - penalty(kl - h)) / (2 * h), 1e-8);
  });
});

describe("SAFE's penalty", () => {
  const inputs = { logp: [[-1, -2], [-1]], refLogp: [[-2, -2], [-3]], oldEntropy: [[1, 2], [3]], rewards: [1, 0] };

  it("is a number without a gradient as coded", async () => {
    const { loss, gradLogp } = await runUpdate({ component: SafeRegularizer, state }, inputs);
    expect(loss).to.be.closeTo(0.7, 1e-15);
    expect(gradLogp.flat()).to.deep.equal([0, 0, 0]);
  });

  it("can act with the slope of the controller", async () => {
    const { loss, gradLogp } = await runUpdate({ component: SafeRegularizer, state, options: { penaltyForm: "gradient" } }, inputs);
    expect(loss).to.be.closeTo(0.4, 1e-15);
    for (const g of gradLogp.flat()) expect(g).to.be.closeTo(0.4 / 3, 1e-15);
  });

  it("is decided after each step from its KL, entropy and reward", async () => {
    const { state: next } = await runUpdate({ component: SafeRegularizer }, inputs);
    const { state: controller, verdict } = after([{ kl: 1, entropy: 2, reward: 0.5 }]);
    const { phase: _, ...numbers } = verdict;
    expect(next).to.deep.equal({ ...controller, verdict: numbers });
  });
});

describe("SAFE's critic", () => {
  const values: [v1: number, v2: number, s: number, value: number][] = [
    [0.4, 0.4, 0.3, 0.4],
    [0, 900, 0.3, 0.3 * Math.LN2],
    [0, 1, 1e6, 0.5],
  ];
  for (const [v1, v2, s, value] of values) {
    it(`softens the minimum of ${v1} and ${v2} at ${s} to ${value}`, () => {
      expect(softMin(v1, v2, s)).to.be.closeTo(value, 1e-6);
      expect(softMin(v2, v1, s)).to.equal(softMin(v1, v2, s));
    });
  }

  it("has the gradient of its loss", () => {
    const [now, old, target] = [
      [0.1, 0.9, -0.4, 0.2],
      [0, 0.2, -0.5, 0.15],
      [0.3, 0.1, 2, 0.1],
    ];
    const loss = (v: number[]) => valueLoss(v, old!, target!, { valueClip: 0.2, huberDelta: 0.5 });
    const { gradient } = loss(now!);
    now!.forEach((_, i) => {
      const moved = (h: number) => loss(now!.map((v, k) => (k === i ? v + h : v))).loss;
      expect(gradient[i]).to.be.closeTo((moved(1e-6) - moved(-1e-6)) / 2e-6, 1e-8);
    });
  });

  it("learns the rewards of two kinds of states", () => {
    const features = [layerNorm([1, 0, 0]), layerNorm([0, 1, 0])];
    const targets = [1, -1];
    let critic = freshCritic(3, 7);
    const read = () => features.map((x) => softMin(...heads(critic, x), 0.3));
    const settings = { softMinTemperature: 0.3, valueClip: 0.2, huberDelta: 0.5, criticLearningRate: 0.02 };
    for (let step = 0; step < 400; step++) ({ critic } = trained(critic, features, read(), targets, settings));
    read().forEach((value, i) => {
      expect(value).to.be.closeTo(targets[i]!, 0.02);
    });
  });
});

describe("SAFE's advantages", () => {
  it("normalise by statistics that include the batch", () => {
    const statistics = including(noRewards(), [1, 3]);
    expect(statistics.mean).to.be.closeTo(2, 1e-3);
    expect(normalized(Float64Array.of(1, 3), statistics)[1]).to.be.closeTo(1 / Math.SQRT2, 1e-3);
    expect(including(statistics, [])).to.deep.equal(statistics);
    expect(including(noRewards(), [5]).var).to.be.closeTo(0.0035, 1e-3);
  });

  it("of a batch of one, or of a perfect critic, are 0", () => {
    expect([...whitened(Float64Array.of(3), [1])]).to.deep.equal([0]);
    expect([...whitened(Float64Array.of(3, 1), [3, 1])]).to.deep.equal([0, 0]);
  });

  it("read the state at the last token of the policy, and train the critic on it", () => {
    const safe = instantiate(SafeAdvantage, {}, { facts: { ...NO_RUN, hiddenSize: 2, seed: 3 } });
    const hidden = [
      [
        [9, 9],
        [1, 0],
        [Number.NaN, 0],
      ],
      [],
      [[0, 1]],
    ];
    const specs = { hidden: { at: "token", dtype: "f64", width: 2 } } as const;
    const batch = new Batch({ lengths: [3, 0, 1], group: [0, 1, 2] }).with(
      { rewards: [1, 0, 0], hidden, mask: [[1, 1, 0], [], [1]] },
      specs,
    );
    const before = safe.initialState();
    const { columns, state: next } = safe.estimate(batch, { state: before } as never);
    expect([...(columns.advantages as Float64Array)].every(Number.isFinite)).to.equal(true);
    const [v1, v2] = heads(before.critic, layerNorm([1, 0]));
    expect((columns.oldResponseValues as Float64Array)[0]).to.equal(softMin(v1, v2, 0.3));
    const updated = safe.afterUpdate({ batch: batch.with(columns), state: next } as never);
    expect(updated.critic.steps).to.equal(2);
    expect(updated.critic.parameters.every(Number.isFinite)).to.equal(true);
    expect(before.critic.steps).to.equal(0);
  });
});
