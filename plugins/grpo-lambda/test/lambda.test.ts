import { runReward } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { LambdaReward } from "../src/index.js";
import { efficientGroups } from "../src/reward.js";

testVectors(new URL("../../vectors/grpo-lambda.json", import.meta.url), conformance);

describe("GRPO-λ", () => {
  const quotas: [title: string, accuracy: number[], lambda: number, chosen: number[]][] = [
    ["takes at least one group", [0.1, 0.9], 0.01, [1]],
    ["does not round a whole number up", [0.5, 0.4, 0.3, 0.2, 0.1], 0.2, [0]],
    ["breaks ties by the order in the batch", [0.5, 0.5, 0.5], 0.5, [0, 1]],
  ];
  for (const [title, accuracy, lambda, chosen] of quotas) {
    it(title, () => expect([...efficientGroups(accuracy, lambda)]).to.deep.equal(chosen));
  }

  it("gives wrong responses of a top group 0, and a lone correct one 1 - α/2", async () => {
    const inputs = { lengths: [5, 9, 7, 3], group: [0, 0, 1, 1] };
    const { rewards } = await runReward(LambdaReward, { topLambda: 0.5, lengthAlpha: 0.6 }, inputs, { inner: { rewards: [1, 0, 0, 0] } });
    expect(rewards).to.deep.equal([0.7, 0, 0, 0]);
  });
});
