import { type Inputs, instantiate, type Options, runAdvantage, runUpdate } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { DcpoAdvantage } from "../src/advantage.js";
import conformance from "../src/conformance.js";
import { EntropyMeter } from "../src/entropy-meter.js";
import { mixOf, targetTemperature, temperedLogp } from "../src/target.js";

testVectors(new URL("../../vectors/dcpo-distribution.json", import.meta.url), conformance);
testTerms("EntropyMeter", { component: EntropyMeter });

describe("DCPO's controller", () => {
  const mixes: [promise: string, entropy: number, share: number, mix: number][] = [
    ["acts by the distance below the target", 0.45, 1, 0.05 / 1.05],
    ["acts alike above it", 0.55, 1, 0.05 / 1.05],
    ["is capped", 0, 1, 0.1 / 1.1],
    ["makes up for few correct responses", 0, 0.25, 0.4 / 1.4],
    ["does nothing without a correct response", 0, 0, 0],
    ["does nothing at the target", 0.5, 0.5, 0],
  ];
  for (const [promise, entropy, share, mix] of mixes) {
    it(promise, () => expect(mixOf(entropy, share, { targetEntropy: 0.5, maxStrength: 0.1 })).to.be.closeTo(mix, 1e-12));
  }

  for (const [entropy, temperature] of [
    [0, 1.2],
    [0.5, 1.2],
    [0.51, 0.8],
  ] as const) {
    it(`has the temperature ${temperature} at entropy ${entropy}`, () => {
      expect(targetTemperature(entropy, { targetEntropy: 0.5, temperatureHigh: 1.2, temperatureLow: 0.8 })).to.equal(temperature);
    });
  }

  it("renormalises tempered log-probs over the whole vocabulary, without overflow", () => {
    const total = [0, 1, 2].reduce((sum, token) => sum + Math.exp(temperedLogp([900, 901, 899], token, 0.8)), 0);
    expect(total).to.be.closeTo(1, 1e-12);
  });
});

describe("DCPO's advantages", () => {
  const inputs: Inputs = { rewards: [1, 1, 0], group: [0, 0, 1], oldLogp: [[-1, -2], [-1], [-3]] };
  const asked: (number | undefined)[] = [];
  const estimate = async (options: Options = {}, entropy = 0, rewards = [1, 1, 0]) => {
    asked.length = 0;
    const scoreTokens = async (_: unknown, { temperature }: { temperature?: number } = {}) => {
      asked.push(temperature);
      return Float64Array.of(-1.5, -1, -1, -2);
    };
    const facts = { state: { version: 1, entropy }, services: { scoreTokens } };
    return (await runAdvantage(DcpoAdvantage, options, { ...inputs, rewards }, facts)) as unknown as {
      advantages: number[][];
      metrics: Record<string, number>;
    };
  };

  it("give correct rows of a group without a signal their share of ρ, wrong rows nothing", async () => {
    const { advantages, metrics } = await estimate();
    const mix = 0.15 / 1.15;
    expect(metrics.mix).to.be.closeTo(mix, 1e-12);
    expect(advantages[0]![0]).to.be.closeTo(mix * Math.exp(-0.5), 1e-12);
    expect(advantages[0]![1]).to.be.closeTo(mix * Math.E, 1e-12);
    expect(advantages[1]![0]).to.be.closeTo(mix, 1e-12);
    expect(advantages[2]).to.deep.equal([0]);
  });

  it("score the samples at the chosen temperature, once", async () => {
    await estimate();
    expect(asked).to.deep.equal([1.2]);
    await estimate({}, 0.9);
    expect(asked).to.deep.equal([0.8]);
  });

  for (const [promise, options, rewards] of [
    ["are GRPO's at maxStrength 0, without a second pass", { maxStrength: 0 }, [1, 0, 1]],
    ["are GRPO's without a correct response, without a second pass", { correctThreshold: 2 }, [1, 0, 1]],
  ] as const) {
    it(promise, async () => {
      const { advantages } = await estimate(options, 0, [...rewards]);
      expect(advantages[0]![0]).to.be.closeTo(Math.SQRT1_2, 1e-5);
      expect(advantages[2]).to.deep.equal([0]);
      expect(asked).to.deep.equal([]);
    });
  }
});

describe("DCPO's entropy estimate", () => {
  it("is the mean surprise over the tokens of the update", async () => {
    const { loss, state } = await runUpdate({ component: EntropyMeter }, { logp: [[-1, -2], [-6]] });
    expect(loss).to.equal(0);
    expect(state).to.deep.equal({ version: 1, entropy: 3 });
  });

  it("stays when every update was skipped", () => {
    const state = { version: 1, entropy: 0.4 };
    expect(instantiate(EntropyMeter).afterUpdate({ observed: {}, state } as never)).to.equal(state);
  });
});
