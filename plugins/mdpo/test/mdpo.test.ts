import { completeOptions, evaluate, input, instantiate, NO_RUN, type Options, runAdvantage, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { StandardisedGae, standardised } from "../src/advantage.js";
import conformance from "../src/conformance.js";
import { exactKlLoss, withGradients } from "../src/control.js";
import { MirrorDescentGate, stepSizeAt } from "../src/gate.js";
import { KL_FORMS } from "../src/proximity.js";

testVectors(new URL("../../vectors/mdpo.json", import.meta.url), conformance);
for (const klForm of KL_FORMS) {
  testTerms(`MirrorDescentGate, ${klForm}`, { component: MirrorDescentGate, options: { klForm, stepSize: 0.5, tsallisQ: 1.5 } });
}
testTerms("MirrorDescentGate, logq at q = 1/2", { component: MirrorDescentGate, options: { klForm: "logq", tsallisQ: 0.5 } });

const gate = (logp: number, oldLogp: number, advantage: number, options: Options) =>
  runTerms(
    { component: MirrorDescentGate, options: { stepSizeSchedule: "constant", ...options } },
    { logp: [[logp]], oldLogp: [[oldLogp]], advantages: [advantage] },
  );

describe("MDPO's gate", () => {
  const cases: [promise: string, options: Options, logp: number, advantage: number, gradient: number][] = [
    ["is the plain policy gradient on-policy (weightedShifted)", { stepSize: 0.1 }, -1, 2, -2],
    ["pulls back without an advantage", { stepSize: 0.5 }, -0.5, 0, (Math.exp(0.5) * 0.5) / 0.5],
    ["clips nothing", { stepSize: 1e9 }, 1, 2, -2 * Math.exp(2)],
    ["adds a constant gradient on-policy (weighted)", { klForm: "weighted", stepSize: 0.5 }, -1, 2, -2 + 1 / 0.5],
    ["is a likelihood penalty at q = 1 (logq)", { klForm: "logq", stepSize: 0.5 }, -0.3, 0, 1 / 0.5],
    ["has the slope π^(q - 1) (logq)", { klForm: "logq", tsallisQ: 1.5 }, -0.3, 0, Math.exp(-0.15)],
  ];
  for (const [promise, options, logp, advantage, gradient] of cases) {
    it(promise, () => expect(gate(logp, -1, advantage, options).gradLogp[0]![0]).to.be.closeTo(gradient, 1e-6));
  }

  it("has a divergence that is never negative (weightedShifted)", () => {
    for (const logp of [-3, -1.01, -1, -0.99, 0]) expect(gate(logp, -1, 0, {}).loss).to.be.at.least(0);
  });

  const steps: [step: number, schedule: string, t: number][] = [
    [0, "linear", 0.8],
    [50, "linear", 0.4],
    [100, "linear", 0.05],
    [100, "constant", 0.8],
  ];
  for (const [step, stepSizeSchedule, t] of steps) {
    it(`has the step size ${t} at step ${step} of 100, ${stepSizeSchedule}`, () => {
      const o = completeOptions(MirrorDescentGate, { stepSize: 0.8, stepSizeSchedule });
      expect(stepSizeAt(step, 100, o as Parameters<typeof stepSizeAt>[2])).to.be.closeTo(t, 1e-15);
      const component = instantiate(MirrorDescentGate, o, { facts: { ...NO_RUN, totalSteps: 100 } });
      expect(component.stepValues({ version: 1 }, { step }).inverseStep).to.be.closeTo(1 / t, 1e-12);
    });
  }
});

describe("MDPO with the exact divergence", () => {
  it("converges to π_k·exp(t·A), normalised", () => {
    const advantages = [1, -0.5, 0.2];
    const oldLogits = [0.3, 0, -0.4];
    const prior = oldLogits.map(Math.exp).map((e, _, all) => e / all.reduce((a, b) => a + b));
    const t = 0.7;
    const x = input("logits", [3, 3]);
    // One row an action: weighing the rows by π_k makes the sampled objective exact.
    const loss = exactKlLoss(x, input("old", [3, 3]), input("actions", [3], "int"), input("advantages", [3]), t);
    const [, gradient] = withGradients(loss, [x]);
    const rows = (row: number[]) => ({ shape: [3, 3], data: Float64Array.from([...row, ...row, ...row]) });
    let logits = [...oldLogits];
    for (let step = 0; step < 4000; step++) {
      const feeds = {
        logits: rows(logits),
        old: rows(oldLogits),
        actions: { shape: [3], data: Int32Array.of(0, 1, 2) },
        advantages: { shape: [3], data: Float64Array.from(advantages, (a, i) => 3 * prior[i]! * a) },
      };
      const [g] = evaluate([gradient!], feeds);
      logits = logits.map((z, j) => z - 0.5 * (g!.data[j]! + g!.data[3 + j]! + g!.data[6 + j]!));
    }
    const normalised = (w: number[]) => w.map((e) => e / w.reduce((a, b) => a + b));
    const reached = normalised(logits.map(Math.exp));
    normalised(prior.map((p, i) => p * Math.exp(t * advantages[i]!))).forEach((p, i) => {
      expect(reached[i]).to.be.closeTo(p, 1e-3);
    });
  });
});

describe("MDPO's advantages", () => {
  const estimate = async (inputs: object, options: Options = {}) =>
    (await runAdvantage(StandardisedGae, options, inputs as Record<string, unknown>)) as unknown as Record<
      "advantages" | "returns",
      number[][]
    >;

  it("have token mean 0 and population variance 1, and targets from before", async () => {
    const { advantages, returns } = await estimate({ rewards: [1, 0], oldValues: [[0.2, 0.4], [0.3]] }, { gamma: 1, gaeLambda: 1 });
    const flat = advantages.flat();
    expect(flat.reduce((a, b) => a + b)).to.be.closeTo(0, 1e-12);
    expect(flat.reduce((sum, a) => sum + a * a, 0) / 3).to.be.closeTo(1, 1e-12);
    expect(returns[0]![0]).to.be.closeTo(1, 1e-15);
    expect(returns[1]![0]).to.be.closeTo(0, 1e-15);
  });

  for (const [promise, values, mask] of [
    ["are 0 where all are equal", [0.5, 0.5], [1, 1]],
    ["are 0 of a single token", [0.5], [1]],
    ["are 0 of nothing", [0.5, 0.7], [0, 0]],
  ] as const) {
    it(promise, () => expect([...standardised(Float64Array.from(values), mask)].every((a) => a === 0)).to.equal(true));
  }

  it("do not see masked tokens", async () => {
    const masked = await estimate({ rewards: [1, 0], oldValues: [[0.2, Number.NaN, 0.4], [0.3]], mask: [[1, 0, 1], [1]] });
    const plain = await estimate({ rewards: [1, 0], oldValues: [[0.2, 0.4], [0.3]] });
    expect(masked.advantages.flat().filter((_, t) => t !== 1)).to.deep.equal(plain.advantages.flat());
    expect(masked.advantages[0]![1]).to.equal(0);
  });
});
