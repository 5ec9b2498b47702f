import { ClipGate, compare, type Options, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { EtrGate } from "../src/index.js";

testVectors(new URL("../../vectors/etr.json", import.meta.url), conformance);

testTerms("EtrGate", { component: EtrGate });

const widths = async (options: Options, rewards: number[], advantages: number[]) => {
  const tokens = rewards.map(() => [-1]);
  const inputs = { logp: tokens, oldLogp: tokens, rewards, advantages, group: rewards.map(() => 3) };
  return ((await conformance.gate!(options, inputs)) as { clipWidths: number[][] }).clipWidths;
};

const half = [1, 0, 1, 0];
const quarter = [1, 0, 0, 0];

describe("ETR's widths", () => {
  const cases: [promise: string, options: Options, rewards: number[], advantage: number, low: number, high: number][] = [
    ["are the base widths without both levels", { micro: 0, macro: 0, clipHigh: 0.3 }, half, 7, 0.2, 0.3],
    ["grow with |A| up to the cap", { macro: 0 }, half, -9, 0.3, 0.3],
    ["shrink for weak advantages", { macro: 0 }, half, 0.5, 0.15, 0.15],
    ["grow for a group that is half solved", { micro: 0 }, half, 1, 0.25, 0.25],
    ["follow 4p(1-p) for rewards 0 and 1", { micro: 0 }, quarter, 1, 0.2 * (1 + 0.5 * 0.25), 0.2 * (1 + 0.5 * 0.25)],
    ["are narrowest for a constant group", { micro: 0 }, [1, 1], 1, 0.15, 0.15],
    ["treat a group of one as constant", { micro: 0 }, [0.7], 1, 0.15, 0.15],
    ["scale the variance by the range of the rewards", { micro: 0, rewardRange: 2 }, [1, -1], 1, 0.25, 0.25],
    ["cut a variance beyond the range to 1", { micro: 0, rewardRange: 1 }, [5, -5], 1, 0.25, 0.25],
    ["never leave [widthMin, widthMax]", { micro: 9, widthMax: 0.4 }, half, 3, 0.4, 0.4],
    ["do not turn negative", { micro: 9 }, half, 0, 0.05, 0.05],
  ];
  for (const [promise, options, rewards, advantage, low, high] of cases) {
    it(promise, async () => {
      const expected = rewards.map(() => [low, high]);
      expect(
        compare(
          expected,
          await widths(
            options,
            rewards,
            rewards.map(() => advantage),
          ),
          1e-12,
        ),
      ).to.equal(null);
    });
  }
});

describe("ETR's gate", () => {
  const inputs = {
    logp: [[-1, -0.4, -2], [-1.3], [-0.7, -0.9], []],
    oldLogp: [[-1.3, -0.5, -1.7], [-1], [-1.2, -0.8], []],
    rewards: [1, 0, 0, 1],
    advantages: [1.2, -0.8, 0.3, 2],
    group: [0, 0, 1, 1],
  };

  it("is PPO's clip without both levels", () => {
    const etr = runTerms({ component: EtrGate, options: { micro: 0, macro: 0 } }, inputs);
    const clip = runTerms({ component: ClipGate }, inputs);
    expect(compare({ loss: clip.loss, gradLogp: clip.gradLogp }, etr, 1e-12)).to.equal(null);
  });

  it("takes advantages by token, each with its own width", () => {
    const perToken = { ...inputs, advantages: [[2, 0.1, 1], [-0.8], [0.3, 0.3], []] };
    const { perToken: facts } = runTerms({ component: EtrGate, options: { macro: 0 } }, perToken);
    expect(compare([0.3, 0.11, 0.2], facts["etr.widthHigh"]![0], 1e-12)).to.equal(null);
  });

  it("reports both factors", () => {
    const { observed } = runTerms({ component: EtrGate }, { ...inputs, rewards: half, group: [0, 0, 0, 0], advantages: [1, 1, 1, 1] });
    expect(observed["etr.micro"]![0]).to.be.closeTo(1, 1e-12);
    expect(observed["etr.macro"]![0]).to.be.closeTo(1.25, 1e-12);
  });
});
