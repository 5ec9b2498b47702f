import { runReward } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { AdaptiveReward, adaptiveRewards, modeOf, rolloutPlan } from "../src/index.js";

testVectors(new URL("../../vectors/apo-a2fm.json", import.meta.url), conformance);

const modes = ["instant", "reasoning", "agentic"];
const o = { alpha: 2, easyThreshold: 0.5, successRateOver: "allForced", modes };
const all = (n: number, value: number) => new Array<number>(n).fill(value);

describe("the adaptive reward", () => {
  const mode = ["instant", "instant", "reasoning", "agentic", "agentic"];
  const forced = [1, 1, 1, 1, 0];
  const rewards = (correct: number[], options: object = {}) => {
    const result = adaptiveRewards({ correct, format: all(5, 1), mode, forced }, [[0, 1, 2, 3, 4]], { ...o, ...options });
    return { ...result, rewards: [...result.rewards] };
  };

  it("leaves a prompt alone whose cheap mode succeeds exactly as often as the threshold", () => {
    expect(rewards([1, 0, 1, 1, 1])).to.deep.equal({ rewards: [1, 0, 1, 1, 1], successRate: [0.75], easy: [false] });
  });

  it("gives expensive modes nothing where every forced rollout succeeds", () => {
    expect(rewards([1, 1, 1, 1, 1])).to.deep.equal({ rewards: [1, 1, 0, 0, 0], successRate: [1], easy: [true] });
  });

  it("takes the success rate over the cheap mode alone where it is told to", () => {
    expect(rewards([1, 1, 0, 1, 1], { successRateOver: "instantForced" }).rewards).to.deep.equal([1, 1, 0, 0, 0]);
  });

  it("leaves unverifiable responses out of the rates", () => {
    expect(rewards([1, Number.NaN, 0, 0, 1])).to.deep.include({ successRate: [1 / 3], easy: [true] });
  });

  it("calls a group without forced rollouts hard", () => {
    const none = adaptiveRewards({ correct: [1], format: [1], mode: ["agentic"], forced: [false] }, [[0]], o);
    expect(none).to.deep.equal({ rewards: Float64Array.of(1), successRate: [0], easy: [false] });
  });
});

describe("modes", () => {
  const table: [completion: string, mode: string][] = [
    ["<reasoning>so", "reasoning"],
    [" <instant>4", "instant"],
    ["4 <instant>", ""],
    ["[A]call", "agentic"],
  ];
  for (const [completion, mode] of table)
    it(`of ${JSON.stringify(completion)} is "${mode}"`, () => expect(modeOf(completion, modes, { agentic: "[A]" })).to.equal(mode));

  it("are planned in their order, then the adaptive rollouts", () =>
    expect(rolloutPlan(["a", "b"], 2, 1)).to.deep.equal(["a", "a", "b", "b", "adaptive"]));
});

describe("AdaptiveReward", () => {
  it("knows forced modes from the sampler, reads the others from the text, and fails a response without mode", async () => {
    const { rewards, mode, metrics } = await runReward(
      AdaptiveReward,
      { formats: { agentic: "<call>" } },
      {
        completions: ["4", "<agentic>4", "<reasoning>4", "4"],
        forcedMode: ["instant", "", "", ""],
        forced: [1, 0, 0, 0],
        group: [0, 0, 0, 0],
      },
      { inner: { rewards: [0, 1, 1, 1] }, specs: { forced: { at: "row", dtype: "bool" }, forcedMode: { at: "row", dtype: "string" } } },
    );
    expect(mode).to.deep.equal(["instant", "agentic", "reasoning", ""]);
    expect(rewards).to.deep.equal([0, 0, 1, 0]);
    expect(metrics).to.deep.include({ easy: 0, "chosen.reasoning": 1 / 3 });
  });
});
