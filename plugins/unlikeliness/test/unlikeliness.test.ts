import { batchOfCase, runAdvantage, runReward } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { MixedGroupAdvantage, UnlikelinessReward } from "../src/index.js";
import { likelihoodRanks } from "../src/reward.js";

testVectors(new URL("../../vectors/unlikeliness.json", import.meta.url), conformance);

describe("the unlikeliness reward", () => {
  it("ranks wrong and right responses together, ties by row order", () => {
    const batch = batchOfCase({ oldLogp: [[-1], [-3], [-1], [-2]], group: [0, 0, 0, 0] });
    expect([...likelihoodRanks(batch, true)]).to.deep.equal([2, 0, 3, 1]);
  });

  it("leaves a reward of 0 at 0 and changes nothing without a penalty", async () => {
    const inputs = { oldLogp: [[-1], [-2]], group: [0, 0] };
    const inner = { rewards: [1, 0] };
    expect((await runReward(UnlikelinessReward, { rankPenalty: 1 }, inputs, { inner })).rewards).to.deep.equal([0.5, 0]);
    expect((await runReward(UnlikelinessReward, { rankPenalty: 0 }, inputs, { inner })).rewards).to.deep.equal([1, 0]);
  });

  const groups: [title: string, rewards: number[], keep: number[]][] = [
    ["drops groups without a success", [0, 0, 1, 0], [0, 0, 1, 1]],
    ["drops groups without a failure", [0.7, 1, 1, 0], [0, 0, 1, 1]],
  ];
  for (const [title, rewards, keep] of groups) {
    it(title, async () => {
      const outcome = await runAdvantage(MixedGroupAdvantage, {}, { rewards, group: [0, 0, 1, 1] });
      expect(outcome.keep).to.deep.equal(keep);
    });
  }
});
