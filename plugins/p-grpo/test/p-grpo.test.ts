import { runReward } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import fc from "fast-check";
import conformance from "../src/conformance.js";
import { PosteriorReward, posteriorReward } from "../src/index.js";

testVectors(new URL("../../vectors/p-grpo.json", import.meta.url), conformance);

const weights = { gate: "posterior", formatWeight: 1, outcomeWeight: 1, thinkingWeight: 1 } as const;

describe("the posterior reward", () => {
  it("does not depend on the thinking where the outcome is wrong", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (thinking) => {
        expect(posteriorReward(1, 0, thinking, weights)).to.equal(1);
      }),
    );
  });

  it("still orders the responses of a group in which all are right", () =>
    expect(posteriorReward(1, 1, 0.9, weights)).to.be.above(posteriorReward(1, 1, 0.2, weights)));

  it("counts the thinking of wrong responses without the gate", () =>
    expect(posteriorReward(0, 0, 0.5, { ...weights, gate: "none" })).to.equal(0.5));
});

describe("PosteriorReward", () => {
  const completions = ["<think>good</think><answer>1</answer>", "<think>bad</think>", "plain", "?"];
  const inputs = { completions, prompts: ["q", "q", "q", "q"], group: [0, 0, 0, 0] };
  const inner = { rewards: [1, 0, 1, Number.NaN] };
  const scored = async (options: object) => {
    const asked: string[] = [];
    const judge = async (requests: readonly { completion: string }[]) => {
      asked.push(...requests.map(({ completion }) => completion));
      return requests.map(({ completion }) => (completion === "plain" ? null : 0.5));
    };
    return { asked, ...(await runReward(PosteriorReward, { ...options }, inputs, { inner, services: { judge } })) };
  };

  it("asks the judge about the thinking of right responses alone", async () => {
    const { asked, rewards } = await scored({});
    expect(asked).to.deep.equal(["good", "plain"]);
    expect(rewards).to.deep.equal([2.5, 0, null, null]);
  });

  it("asks about every verifiable response without the gate", async () => {
    const { asked, rewards } = await scored({ gate: "none" });
    expect(asked).to.deep.equal(["good", "bad", "plain"]);
    expect(rewards).to.deep.equal([2.5, 0.5, null, null]);
  });
});
