import { instantiate, runReward } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { argumentScore, CurriculumSampler, eligibleTasks, GuiJudgeReward, GuiReward, stageOf } from "../src/index.js";

testVectors(new URL("../../vectors/craft-gui.json", import.meta.url), conformance);

describe("the argument score", () => {
  const box = [0, 0, 10, 20];
  const table: [promise: string, predicted: object, reference: object, score: number][] = [
    ["takes a point on the border", { point: [10, 20] }, { type: "click", box }, 1],
    ["refuses a point beyond it", { point: [10.1, 5] }, { type: "longPress", box }, 0],
    ["refuses a click without point", {}, { type: "click", box }, 0],
    ["compares directions", { direction: "up" }, { type: "scroll", direction: "down" }, 0],
    ["is token F1 of texts, whatever their case", { text: "Hello World" }, { type: "type", text: "hello there" }, 0.5],
    ["is 1 for two empty texts", { text: "" }, { type: "answer", text: "" }, 1],
    ["is 1 where there are no arguments", {}, { type: "back" }, 1],
  ];
  for (const [promise, predicted, reference, score] of table)
    it(promise, () => expect(argumentScore({ type: "", ...predicted }, reference as never)).to.equal(score));
});

describe("the curriculum", () => {
  const o = { stageMaxSteps: [3, 8], stageStart: [0, 100, 250], cumulative: false, understandingLast: true };
  const table: [steps: number, understanding: boolean, understandingLast: boolean, stage: number][] = [
    [3, false, true, 0],
    [4, false, true, 1],
    [9, false, true, 2],
    [1, true, true, 2],
    [1, true, false, 0],
  ];
  for (const [steps, understanding, understandingLast, stage] of table)
    it(`puts ${steps} steps${understanding ? " of understanding" : ""} into stage ${stage}${understandingLast ? "" : " by length"}`, () =>
      expect(stageOf(steps, understanding, { ...o, understandingLast })).to.equal(stage));

  it("falls back on the nearest easier stage that has tasks", () => {
    expect(eligibleTasks([0, 0, 3], 2, false)).to.deep.equal([0, 1]);
    expect(eligibleTasks([3], 2, false)).to.deep.equal([]);
    expect(eligibleTasks([0, 1, 2], 1, true)).to.deep.equal([0, 1]);
  });

  it("refuses stages that do not increase or do not start at once", () => {
    expect(() => instantiate(CurriculumSampler, { stageMaxSteps: [8, 3] })).to.throw(/stageMaxSteps/);
    expect(() => instantiate(CurriculumSampler, { stageStart: [5, 9] })).to.throw(/stageStart/);
  });
});

describe("the rewards", () => {
  const specs = { taskKind: { at: "row", dtype: "string" }, reference: { at: "row", dtype: "json" } } as const;

  it("parse the action and compare it with the record's", async () => {
    const reference = { type: "scroll", direction: "up" };
    const completions = [
      '<action>{"type":"scroll","direction":"up"}</action>',
      '<action>{"type":"back"}</action>',
      "<action>{oops</action>",
    ];
    const inputs = { completions, taskKind: ["operation", "operation", "operation"], reference: [reference, reference, reference] };
    expect((await runReward(GuiReward, {}, inputs, { specs })).rewards).to.deep.equal([1, 0.1, 0]);
  });

  it("tell an operation without reference action", async () => {
    let message = "";
    await runReward(GuiReward, {}, { completions: ["x"], taskKind: ["operation"], reference: [null] }, { specs }).catch((error: Error) => {
      message = error.message;
    });
    expect(message).to.match(/reference action/);
  });

  it("ask the judge once for equal answers, bound its grades and pass its failures on", async () => {
    let asked = 0;
    const judge = async (requests: readonly { completion: string }[]) => {
      asked += requests.length;
      return requests.map(({ completion }) => (completion === "a" ? 7 : null));
    };
    const completions = ["<answer>a</answer>", "<answer>a</answer>", "<answer>b</answer>", "a", "<answer>a</answer>"];
    const taskKind = ["understanding", "understanding", "understanding", "understanding", "operation"];
    const inputs = { completions, taskKind, prompts: ["q", "q", "q", "q", "q"] };
    const { rewards } = await runReward(GuiJudgeReward, {}, inputs, { specs, services: { judge } });
    expect(rewards).to.deep.equal([0.9, 0.9, null, 0, 0]);
    expect(asked).to.equal(2);
  });
});
