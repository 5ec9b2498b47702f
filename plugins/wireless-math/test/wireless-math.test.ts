import { runReward } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { JudgedWirelessReward, WirelessReward, wirelessReward } from "../src/index.js";

testVectors(new URL("../../vectors/wireless-math.json", import.meta.url), conformance);

const inputs = { completions: ["\\boxed{1}", "\\boxed{1}", "1", ""], prompts: ["q", "q", "q", "q"], golds: [["1"], ["1"], ["1"], ["1"]] };

describe("WirelessMathLM", () => {
  const table: [compose: "weighted" | "gated", answerNeedsFormat: boolean, format: number, correct: number, reward: number][] = [
    ["weighted", false, 0, 1, 0.9],
    ["weighted", true, 0, 1, 0],
    ["weighted", true, 1, 0, 0.1],
    ["gated", false, 0, 1, 0],
    ["gated", true, 1, 1, 1],
  ];
  for (const [compose, answerNeedsFormat, format, correct, reward] of table) {
    it(`${compose}${answerNeedsFormat ? ", format needed" : ""}: format ${format}, answer ${correct} earn ${reward}`, () =>
      expect(wirelessReward(format, correct, { compose, answerNeedsFormat, formatWeight: 0.1 })).to.equal(reward));
  }

  it("leaves a response out that the rules cannot decide", async () => {
    const { rewards, metrics } = await runReward(WirelessReward, {}, inputs, { inner: { rewards: [1, Number.NaN, 1, 0] } });
    expect(rewards).to.deep.equal([1, null, 0.9, 0]);
    expect(metrics).to.deep.equal({ decidedByRules: 0.75 });
  });

  it("asks the judge for those alone, and leaves out what the judge cannot decide", async () => {
    const asked: string[] = [];
    const judge = async (requests: readonly { completion: string; rubric?: string }[]) => {
      asked.push(...requests.map(({ completion }) => completion));
      return requests.map(({ completion }) => (completion === "" ? null : 1));
    };
    const { rewards } = await runReward(JudgedWirelessReward, {}, inputs, {
      inner: { rewards: [0, 1, Number.NaN, Number.NaN] },
      services: { judge },
    });
    expect(asked).to.deep.equal(["1", ""]);
    expect(rewards).to.deep.equal([0.1, 1, 0.9, null]);
  });
});
