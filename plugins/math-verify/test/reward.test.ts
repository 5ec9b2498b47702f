import { Batch, instantiate } from "@proximal/core";
import { expect } from "chai";
import plugin, { MathVerifyReward } from "../src/index.js";

describe("MathVerifyReward", () => {
  const batch = new Batch({ lengths: [1, 1, 1], group: [0, 0, 0] }).with({
    completions: ["\\boxed{2/4}", "I give up", "\\boxed{5}"],
    golds: [["0.5"], ["7"], ["$$"]],
  });

  it("scores each row, tells its answer and whether it is correct, and leaves the unverifiable out", () => {
    const { rewards, columns } = instantiate(MathVerifyReward, {}).score(batch);
    expect(rewards).to.deep.equal([1, 0, null]);
    expect(columns).to.deep.equal({ answers: ["2/4", null, "5"], correct: [1, 0, null] });
  });

  it("takes the options of its schema", () => {
    const model = instantiate(MathVerifyReward, { mode: "flexible", correct: 1, wrong: -1, unparseableGold: 0 });
    expect(model.score(batch).rewards).to.deep.equal([1, -1, 0]);
  });

  it("refuses options outside their range", () => {
    expect(() => instantiate(MathVerifyReward, { mode: "loose" })).to.throw(/mode/);
    expect(() => instantiate(MathVerifyReward, { decimals: 0 })).to.throw(/decimals/);
  });

  it("is the component that the plugin offers", () => expect(plugin.components).to.deep.equal([MathVerifyReward]));
});
