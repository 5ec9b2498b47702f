import { type Inputs, instantiate, type Options, runAdvantage } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { GaeAdvantage, type KlState } from "../src/advantage.js";
import conformance from "../src/conformance.js";
import { controlledKlCoef } from "../src/kl-controller.js";

testVectors(new URL("../../vectors/ppo.json", import.meta.url), conformance);

const plain = { klCoef: 0, whiten: false };

async function estimate(options: Options, inputs: Inputs, state?: KlState) {
  const outcome = await runAdvantage(GaeAdvantage, options, inputs, { state });
  return outcome as unknown as { advantages: number[][]; returns: number[][]; state: KlState; metrics: Record<string, number> };
}

describe("PPO's advantages", () => {
  const oldValues = [[0.3, -0.2, 0.5], [], [0.1]];
  const inputs = { rewards: [1, 5, -1], oldValues };

  it("are R - V at γ = λ = 1 without KL and whitening, whatever the length", async () => {
    const { advantages, returns } = await estimate({ ...plain, lambda: 1 }, inputs);
    for (const [t, a] of advantages[0]!.entries()) expect(a).to.be.closeTo(1 - oldValues[0]![t]!, 1e-15);
    expect(advantages.slice(1)).to.deep.equal([[], [-1.1]]);
    for (const g of returns[0]!) expect(g).to.be.closeTo(1, 1e-15);
  });

  it("put the reward on the last token that the policy chose", async () => {
    const { advantages } = await estimate({ ...plain, lambda: 1 }, { ...inputs, mask: [[1, 1, 0], [], [1]] });
    expect(advantages[0]).to.deep.equal([0.7, 1.2, 0]);
  });

  it("have token mean 0 and sample variance 1 when whitened, and targets from before", async () => {
    const { advantages, returns } = await estimate({ klCoef: 0 }, inputs);
    const flat = advantages.flat();
    const mean = flat.reduce((a, b) => a + b) / 4;
    expect(mean).to.be.closeTo(0, 1e-12);
    expect(flat.reduce((sum, a) => sum + (a - mean) ** 2, 0) / 3).to.be.closeTo(1, 1e-7);
    expect(returns).to.deep.equal((await estimate(plain, inputs)).returns);
  });

  it("of a single token are not whitened", async () => {
    const { advantages } = await estimate({ klCoef: 0 }, { rewards: [1], oldValues: [[0.25]] });
    expect(advantages).to.deep.equal([[0.75]]);
  });

  it("do not see what masked tokens hold", async () => {
    const mask = [[1, 0, 1]];
    const clean = { rewards: [1], oldValues: [[0.3, 0, 0.5]], oldLogp: [[-1, 0, -2]], refLogp: [[-1.5, 0, -1]], mask };
    const row = [1, Number.NaN, 1];
    const poison = (name: "oldValues" | "oldLogp" | "refLogp") => [clean[name][0]!.map((x, t) => x * row[t]!)];
    const dirty = { ...clean, oldValues: poison("oldValues"), oldLogp: poison("oldLogp"), refLogp: poison("refLogp") };
    expect(await estimate({}, dirty)).to.deep.equal(await estimate({}, clean));
  });

  for (const [promise, missingEosPenalty, first] of [
    ["take missingEosPenalty off the reward of a cut response", 0.4, 0.6 - 0.3],
    ["leave it alone by default", null, 1 - 0.3],
  ] as const) {
    it(promise, async () => {
      const { advantages } = await estimate({ ...plain, lambda: 1, missingEosPenalty }, { ...inputs, truncated: [1, 0, 0] });
      expect(advantages[0]![0]).to.be.closeTo(first, 1e-15);
      expect(advantages[2]).to.deep.equal([-1.1]);
    });
  }

  it("report how well the values explain the returns", async () => {
    const explained = async (values: number[][]) =>
      (await estimate({ ...plain, lambda: 1 }, { rewards: [1, 0], oldValues: values })).metrics.explainedVariance;
    expect(await explained([[1, 1], [0]])).to.be.closeTo(1, 1e-12);
    expect(await explained([[0.5, 0.5], [0.5]])).to.be.closeTo(0, 1e-12);
  });
});

describe("PPO's KL controller", () => {
  const adaptive = { targetKl: 6, horizon: 1000 };
  const cases: [promise: string, kl: number, targetKl: number | null, factor: number][] = [
    ["raises klCoef in proportion to the excess", 6.6, 6, 1 + (0.1 * 50) / 1000],
    ["by at most 20 % of responses / horizon", 60, 6, 1 + (0.2 * 50) / 1000],
    ["lowers it below the target", 0, 6, 1 - (0.2 * 50) / 1000],
    ["keeps it without a target", 60, null, 1],
  ];
  for (const [promise, kl, targetKl, factor] of cases) {
    it(promise, () => expect(controlledKlCoef(0.05, kl, 50, { ...adaptive, targetKl })).to.be.closeTo(0.05 * factor, 1e-15));
  }

  it("sees the KL of whole responses and acts from the next step on", async () => {
    const inputs = { rewards: [0, 0], oldValues: [[0, 0], [0]], oldLogp: [[-1, -1], [-1]], refLogp: [[-4, -5], [-2]] };
    const options = { targetKl: 2, horizon: 10, lambda: 1, whiten: false };
    const first = await estimate(options, inputs);
    expect(first.metrics.klOfResponse).to.equal((3 + 4 + 1) / 2);
    expect(first.advantages[1]).to.deep.equal([-0.05]);
    const klCoef = 0.05 * (1 + (0.2 * 2) / 10);
    expect(first.state.klCoef).to.be.closeTo(klCoef, 1e-15);
    const second = await estimate(options, inputs, JSON.parse(JSON.stringify(first.state)));
    expect(second.advantages[1]![0]).to.be.closeTo(-klCoef, 1e-15);
  });

  it("starts at klCoef", () => {
    expect(instantiate(GaeAdvantage, { klCoef: 0.2 }).initialState()).to.deep.equal({ version: 1, klCoef: 0.2 });
  });
});
