import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  CheckpointError,
  type LoopOptions,
  latestCheckpoint,
  type MetricsRecord,
  type RunEvent,
  RunFolder,
  readRun,
  runLoop,
  TrainingJob,
  UsageError,
} from "../../src/index.js";
import { bestOf } from "../../src/trainer/selection.js";
import { bestStep } from "../../src/trainer/store/checkpoint.js";
import { tabularRun, temporaryFolder } from "../doubles/runs.js";

const origin = { kind: "train", folder: ".", config: {} } as const;

describe("a run in trouble", () => {
  let root: string;
  let path: string;
  beforeEach(() => {
    root = temporaryFolder();
    path = join(root, "run");
  });
  afterEach(() => rmSync(root, { recursive: true }));

  type Over = Parameters<typeof tabularRun>[1];
  const start = (over: Over = {}, options: Partial<LoopOptions> = {}) =>
    runLoop(new TrainingJob(tabularRun(root, over)), { folder: RunFolder.create(path, origin, { overwrite: true }), ...options });

  const caught = async (work: Promise<unknown>): Promise<unknown> => work.catch((error: unknown) => error);
  const lock = () => join(path, "run.lock");

  it("refuses a second process, naming the first", async () => {
    let refused: unknown;
    const during = (event: RunEvent) => {
      if (event.type !== "step" || refused !== undefined) return;
      try {
        RunFolder.create(path, origin, { overwrite: true });
      } catch (error) {
        refused = error;
      }
    };
    await start({}, { onEvent: during });
    expect(refused).to.be.instanceOf(UsageError).with.nested.property("details.given", `process ${process.pid} on ${hostname()}`);
    expect(existsSync(lock())).to.equal(false);
  });

  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  const stale: [string, object, boolean][] = [
    ["a dead process of this host", { pid: dead, host: hostname(), began: "1" }, true],
    [
      "an earlier process with the number of a living one",
      { pid: process.pid, host: hostname(), began: "1" },
      existsSync("/proc/self/stat"),
    ],
    ["a process of another host", { pid: 1, host: "elsewhere", began: "1" }, false],
  ];
  for (const [who, holder, isTaken] of stale) {
    it(`${isTaken ? "takes over" : "respects"} the lock that ${who} left`, async () => {
      await start();
      rmSync(join(path, "summary.json"));
      writeFileSync(lock(), JSON.stringify(holder));
      const outcome = await caught(runLoop(new TrainingJob(tabularRun(root)), { folder: RunFolder.open(path), resume: true }));
      if (isTaken) expect(outcome).to.include({ steps: 6 });
      else expect(outcome).to.be.instanceOf(UsageError).with.property("message").that.includes("another process");
    });
  }

  for (const [where, spoil] of [
    ["the policy's parameters are saved", "save"],
    ["the model is exported", "export"],
  ] as const) {
    it(`says so when the disk is full while ${where}, and goes on from the last checkpoint once there is room`, async () => {
      await start();
      const whole = readRun(path)
        .metrics()
        .map(({ reward, loss }) => [reward, loss]);
      const run = tabularRun(root);
      let saves = 0;
      const { save } = run.policy;
      run.policy[spoil] = async (folder) => {
        if (++saves < (spoil === "save" ? 3 : 1)) return save.call(run.policy, folder);
        writeFileSync(join(folder, "half"), "written");
        throw Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });
      };
      const error = await caught(runLoop(new TrainingJob(run), { folder: RunFolder.create(path, origin, { overwrite: true }) }));
      expect(error).to.be.instanceOf(CheckpointError).with.property("message").that.includes("the disk is full");
      expect((error as CheckpointError).describe()).to.include(`proximal resume ${path}`);
      expect(readdirSync(join(path, "checkpoints")).filter((name) => name.endsWith(".partial"))).to.deep.equal([]);
      expect((await latestCheckpoint(join(path, "checkpoints"), () => {}))!.manifest.step).to.equal(spoil === "save" ? 4 : 6);
      await runLoop(new TrainingJob(tabularRun(root)), { folder: RunFolder.open(path), resume: true });
      expect(
        readRun(path)
          .metrics()
          .map(({ reward, loss }) => [reward, loss]),
      ).to.deep.equal(whole);
    });
  }

  /** A run whose held-out accuracies are given, one an evaluation. */
  const withAccuracies = (values: readonly number[], over: Over = {}) => {
    const job = new TrainingJob(tabularRun(root, over));
    job.evaluate = async (step) => (step === 0 ? { accuracy: 0 } : { accuracy: values[step - 1] ?? 0 });
    return job;
  };
  const selecting = (patience: number | null) => ({
    settings: { evaluation: { every: 1, keepBest: true, patience }, trainer: { checkpointEvery: 100, keepCheckpoints: 1 } },
  });

  it("keeps the checkpoint with the best evaluation, however many are deleted", async () => {
    const job = withAccuracies([0.1, 0.5, 0.4, 0.5, 0.2, 0.3], selecting(null));
    const summary = await runLoop(job, { folder: RunFolder.create(path, origin) });
    expect(summary).to.include({ bestStep: 2, bestValue: 0.5, ended: "steps", steps: 6 });
    expect(bestStep(join(path, "checkpoints"))).to.equal(2);
    expect(readdirSync(join(path, "checkpoints")).sort()).to.deep.equal(["best", "step-6"]);
  });

  it("ends when its evaluations do not get better, as the config says, and is finished then", async () => {
    const job = withAccuracies([0.1, 0.5, 0.4, 0.5, 0.2, 0.3], selecting(2));
    const summary = await runLoop(job, { folder: RunFolder.create(path, origin) });
    expect(summary).to.include({ bestStep: 2, ended: "patience", steps: 4 });
    expect(readRun(path).finished).to.equal(true);
    expect(existsSync(join(path, "model"))).to.equal(true);
  });

  it("is ended by patience after a crash between the decision and the summary, too", async () => {
    const job = withAccuracies([0.1, 0.5, 0.4, 0.3], selecting(2));
    job.policy.export = () => Promise.reject(new Error("power cut"));
    await caught(runLoop(job, { folder: RunFolder.create(path, origin) }));
    rmSync(join(path, "checkpoints", "best"), { recursive: true });
    const summary = await runLoop(withAccuracies([], selecting(2)), { folder: RunFolder.open(path), resume: true });
    expect(summary).to.include({ bestStep: 2, ended: "patience", steps: 4 });
  });

  const records = [0.2, 0.5, 0.49, 0.6, 0.55].map(
    (value, i): MetricsRecord => ({ step: i + 1, "eval.accuracy": value, "eval.loss": -value }),
  );
  const cases: [string, Parameters<typeof bestOf>[1], ReturnType<typeof bestOf>][] = [
    ["the largest", { metric: "accuracy", mode: "max", minDelta: 0, keepBest: true, patience: null }, { step: 4, value: 0.6, since: 1 }],
    ["the smallest", { metric: "loss", mode: "min", minDelta: 0, keepBest: true, patience: null }, { step: 4, value: -0.6, since: 1 }],
    [
      "better by enough",
      { metric: "accuracy", mode: "max", minDelta: 0.2, keepBest: true, patience: null },
      { step: 2, value: 0.5, since: 3 },
    ],
    ["not measured", { metric: "reward", mode: "max", minDelta: 0, keepBest: true, patience: null }, null],
  ];
  for (const [what, settings, expected] of cases) {
    it(`picks as the best evaluation ${what}`, () => expect(bestOf(records, settings)).to.deep.equal(expected));
  }

  it("tells its warnings in events.jsonl", async () => {
    const run = tabularRun(root);
    const { update } = run.policy;
    let updates = 0;
    run.policy.update = async (request) => {
      const result = await update.call(run.policy, request);
      return ++updates === 2 ? { ...result, loss: Number.NaN, skipped: true } : result;
    };
    await runLoop(new TrainingJob(run), { folder: RunFolder.create(path, origin) });
    const [event] = readRun(path).events();
    expect(event).to.include({ step: 2, kind: "warning", source: "non-finite" });
    expect(readFileSync(join(path, "events.jsonl"), "utf8")).to.not.match(/time|20\d\d-/);
  });
});
