import { instantiate, type Prompt } from "@proximal/core";
import { sampleContext } from "@proximal/core/testing";
import { expect } from "chai";
import { CurriculumSampler } from "../src/index.js";

const prompt = (id: string, fields: Prompt["fields"]): Prompt => ({ id, text: id, tokens: Int32Array.of(1), golds: [], fields });
const pool = [
  prompt("short", { trajectorySteps: 2 }),
  prompt("middle", { trajectorySteps: 5 }),
  prompt("long", { trajectorySteps: 20 }),
  prompt("question", { taskKind: "understanding" }),
];
const collect = (step: number, options: object = {}, prompts: readonly Prompt[] = pool) => {
  const sampler = instantiate(CurriculumSampler, { groupSize: 1, promptsPerStep: 4, ...options });
  return sampler.collect(sampleContext({ state: sampler.initialState(), step, prompts }));
};

describe("CurriculumSampler", () => {
  const table: [step: number, cumulative: boolean, drawn: string[], stage: number][] = [
    [0, false, ["short"], 0],
    [100, false, ["middle"], 1],
    [300, false, ["long", "question"], 2],
    [300, true, ["long", "middle", "question", "short"], 2],
  ];
  for (const [step, cumulative, drawn, stage] of table) {
    it(`draws ${drawn.join(", ")} in step ${step}${cumulative ? " of a cumulative curriculum" : ""}`, async () => {
      const { batch, metrics } = await collect(step, { cumulative });
      expect([...new Set(batch.strings("promptId"))].sort()).to.deep.equal(drawn);
      expect(metrics).to.deep.equal({ stage });
    });
  }

  it("tells a record without the length of its trajectory", async () => {
    const error = await collect(0, {}, [prompt("x", {})]).catch((e: Error) => e);
    expect((error as Error).message).to.match(/trajectorySteps/);
  });
});
