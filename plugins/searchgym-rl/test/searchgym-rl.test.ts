import { instantiate, runReward } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { advance, answerScore, eligibleQuestions, SearchReward, SearchSampler } from "../src/index.js";

testVectors(new URL("../../vectors/searchgym-rl.json", import.meta.url), conformance);

describe("the answer score", () => {
  const table: [promise: string, prediction: string, golds: string[], metric: string, score: number][] = [
    ["deletes commas inside numbers", "1,204", ["1204"], "em", 1],
    ["deletes articles as words only", "The An-nex", ["annex"], "em", 1],
    ["takes the best of the accepted answers", "b", ["a", "b"], "f1", 1],
    ["counts a word as often as both have it", "x x", ["x y"], "f1", 0.5],
    ["is 1 for two empty answers", "the", ["a"], "f1", 1],
    ["is 0 for one empty answer", "", ["x"], "f1", 0],
    ["is 0 without accepted answers", "x", [], "f1", 0],
  ];
  for (const [promise, prediction, golds, metric, score] of table)
    it(promise, () => expect(answerScore(prediction, golds, metric)).to.equal(score));
});

describe("the curriculum", () => {
  const o = {
    stageHops: [
      [1, 1],
      [2, 3],
    ],
    window: 2,
    promoteAt: 0.5,
  };
  const table: [promise: string, stage: number, recent: number[], success: number, expected: object][] = [
    ["waits for a full window", 0, [], 1, { stage: 0, recent: [1] }],
    ["rises at the threshold and forgets", 0, [0.25], 0.75, { stage: 1, recent: [] }],
    ["keeps the last values below it", 0, [0.1, 0.2], 0.3, { stage: 0, recent: [0.2, 0.3] }],
    ["never leaves the last stage", 1, [1], 1, { stage: 1, recent: [1, 1] }],
  ];
  for (const [promise, stage, recent, success, expected] of table)
    it(promise, () => expect(advance({ stage, recent }, success, o)).to.deep.equal(expected));

  it("falls back on the nearest lower stage that has questions", () => {
    expect(eligibleQuestions([1, 1, 9], 1, o.stageHops)).to.deep.equal([0, 1]);
    expect(eligibleQuestions([9], 1, o.stageHops)).to.deep.equal([]);
  });

  it("refuses a stage that ends before it begins", () =>
    expect(() => instantiate(SearchSampler, { stageHops: [[3, 1]] })).to.throw(/stage/));
});

describe("SearchReward", () => {
  it("reads the answer from its tag; a response without it or cut off breaks the format", async () => {
    const { rewards, format } = await runReward(
      SearchReward,
      { formatPenalty: -1 },
      {
        completions: ["<answer>Aldara</answer>", "Aldara", "<answer>Aldara</answer>", "<answer>x</answer>"],
        golds: [["Aldara"], ["Aldara"], ["Aldara"], []],
        truncated: [0, 0, 1, 0],
      },
    );
    expect(rewards).to.deep.equal([1, -1, -1, null]);
    expect(format).to.deep.equal([1, 0, 0, 1]);
  });
});
