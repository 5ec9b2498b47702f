import { runReward } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import fc from "fast-check";
import conformance from "../src/conformance.js";
import { formatReward, TwoStageReward } from "../src/index.js";

testVectors(new URL("../../vectors/two-stage-math.json", import.meta.url), conformance);

describe("Fast-Math-R1's rewards", () => {
  const formats: [promise: string, completion: string, format: number][] = [
    ["want the box before the end of the thinking", "\\boxed{4}</think>", 1],
    ["look across lines", "\\boxed{4\n}\n\n</think> 4", 1],
    ["refuse a box after it", "</think>\\boxed{4}", 0],
    ["accept a second end of thinking after the box", "</think>\\boxed{4}</think>", 1],
    ["accept the bare text of the official pattern", "oxed{}</think>", 1],
    ["refuse a box without an end of the thinking", "\\boxed{4}", 0],
  ];
  for (const [promise, completion, format] of formats) it(promise, () => expect(formatReward(completion)).to.equal(format));

  it("agree with the official pattern on any mixture of its pieces", () => {
    const pieces = fc.array(fc.constantFrom("\\boxed{", "oxed{", "}", "</think>", "\n", "4"), { maxLength: 12 });
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join("");
        expect(formatReward(text)).to.equal(/oxed\{.*?\}.*?<\/think>/s.test(text) ? 1 : 0);
      }),
    );
  });

  const lengthReward = async (options: object, rewards: number[], texts: string[], group: number[]) =>
    (await runReward(TwoStageReward, { ...options }, { completions: texts, group }, { inner: { rewards } })).lengthReward;

  it("compare lengths inside the group, or over the batch", async () => {
    const texts = ["a", "aaa", "aaaaa", "aaaaaaa"];
    expect(await lengthReward({}, [1, 1, 1, 0], texts, [0, 0, 1, 1])).to.deep.equal([0.5, -0.5, 0.5, -0.5]);
    const whole = (await lengthReward({ lengthScope: "batch" }, [1, 1, 1, 0], texts, [0, 0, 1, 1])) as number[];
    expect(whole.map((reward) => reward.toFixed(9))).to.deep.equal([0.5, 1 / 6, -1 / 6, -0.5].map((reward) => reward.toFixed(9)));
  });

  it("never reward a wrong answer for its length", async () => {
    expect(await lengthReward({}, [0, 1], ["a", "aaa"], [0, 0])).to.deep.equal([0, -0.5]);
  });

  it("say nothing about responses of equal length, or about one alone", async () => {
    expect(await lengthReward({}, [1, 0, 1], ["aa", "bb", "c"], [0, 0, 1])).to.deep.equal([0, 0, 0]);
  });

  it("leave an unverifiable response out of shortest and longest", async () => {
    const { rewards, lengthReward: parts } = await runReward(
      TwoStageReward,
      {},
      { completions: ["a", "aaa", "a".repeat(100)], group: [0, 0, 0] },
      { inner: { rewards: [1, 1, Number.NaN] } },
    );
    expect(parts).to.deep.equal([0.5, -0.5, 0]);
    expect(rewards[2]).to.equal(null);
  });
});
