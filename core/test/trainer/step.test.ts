import { rmSync } from "node:fs";
import { expect } from "chai";
import { trainingStep } from "../../src/index.js";
import { tabularRun, temporaryFolder } from "../doubles/runs.js";

describe("a training step", () => {
  let folder: string;
  before(() => {
    folder = temporaryFolder();
  });
  after(() => rmSync(folder, { recursive: true }));

  it("raises the reward over some steps", async () => {
    const run = tabularRun(folder, { settings: { optimizer: { learningRate: 0.5 } } });
    await run.policy.snapshot("reference");
    const rewards: number[] = [];
    for (let step = 0; step < 60; step++) {
      const { metrics } = await trainingStep(run, step);
      rewards.push(metrics.reward!);
      if (step % 10 === 0) console.log(metrics);
    }
    console.log(rewards.join(" "));
  });
});
