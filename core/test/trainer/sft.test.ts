import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { CharTokenizer, DataError, RunFolder, runLoop, SftJob, TabularPolicy } from "../../src/index.js";
import { settings, tabularRun, temporaryFolder } from "../doubles/runs.js";

const origin = { kind: "train", folder: ".", config: {} } as const;

describe("supervised training", () => {
  let root: string;
  beforeEach(() => {
    root = temporaryFolder();
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const job = (over: { answer?: string; steps?: number } = {}): SftJob => {
    const { policy, data } = tabularRun(root, { settings: { optimizer: { learningRate: 0.3 } } });
    const held = data.train.subset([0, 2]);
    const sft = { steps: over.steps ?? 40, batchSize: 3, evalEvery: 0 };
    return new SftJob({
      settings: { ...settings({ optimizer: { learningRate: 0.3 } }), sft },
      policy,
      data: { ...data, held },
      answer: over.answer ?? "answer",
    });
  };

  it("teaches a policy its answers, stop token included", async () => {
    const folder = RunFolder.create(join(root, "run"), origin);
    const summary = (await runLoop(job(), { folder }))!;
    expect(summary.evalAccuracyStart).to.equal(0);
    expect(summary.evalAccuracyEnd).to.equal(1);
    const records = folder.metrics();
    expect(records[0]!["evalStart.loss"]).to.be.closeTo(Math.log(14), 1e-12);
    expect(records.at(-1)!["eval.loss"]).to.be.below(0.2);
    expect(records[0]!.loss).to.be.closeTo(Math.log(14), 1e-12);
  });

  it("learns answers as they stand inside a text: without the tokenizer's beginning, with its end", async () => {
    const tokenizer = new CharTokenizer("0123456789+=", { beginning: true });
    const { data } = tabularRun(root);
    const policy = new TabularPolicy({ tokenizer });
    const seen: number[][] = [];
    const { update } = policy;
    policy.update = (request) => {
      seen.push(...request.batch.trajectories.map(({ tokens }) => [...tokens]));
      return update.call(policy, request);
    };
    const sft = { steps: 1, batchSize: 1, evalEvery: 0 };
    await new SftJob({ settings: { ...settings(), sft }, policy, data, answer: "answer" }).step(0);
    expect(seen).to.have.length(1);
    expect(seen[0]).to.not.include(1);
    expect(seen[0]!.at(-1)).to.equal(0);
  });

  it("continues from a checkpoint as if it had not stopped", async () => {
    const losses = (folder: RunFolder) => folder.metrics().map(({ loss }) => loss);
    const whole = RunFolder.create(join(root, "whole"), origin);
    await runLoop(job({ steps: 6 }), { folder: whole });
    const stop = new AbortController();
    const onEvent = (event: { type: string }) => event.type === "step" && stop.abort();
    const stopped = RunFolder.create(join(root, "stopped"), origin);
    expect(await runLoop(job({ steps: 6 }), { folder: stopped, signal: stop.signal, onEvent })).to.equal(null);
    await runLoop(job({ steps: 6 }), { folder: stopped, resume: true });
    expect(losses(stopped)).to.deep.equal(losses(whole));
  });

  it("says which field has no text to learn", async () => {
    const failed = await job({ answer: "solution" })
      .step(0)
      .catch((error: unknown) => error);
    expect(failed).to.be.instanceOf(DataError);
    expect((failed as DataError).message).to.include('"solution"');
  });
});
