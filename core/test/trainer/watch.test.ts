import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { type PlacedWatchdog, type RunEvent, RunFolder, readRun, runLoop, TrainingJob, type WatchdogAction } from "../../src/index.js";
import { alarmsOf } from "../../src/trainer/watch.js";
import { grpo, tabularRun, temporaryFolder } from "../doubles/runs.js";

const origin = { kind: "train", folder: ".", config: {} } as const;

describe("a run with a watchdog", () => {
  let root: string;
  let path: string;
  beforeEach(() => {
    root = temporaryFolder();
    path = join(root, "run");
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** Barks in the third step of a run that was not rolled back. */
  const dog = (action: WatchdogAction, learningRates = [0.1]): PlacedWatchdog => ({
    id: "third",
    component: {
      check: (history) => (history.length === 3 && learningRates.includes(history.at(-1)!.learningRate!) ? "it is three" : null),
    },
    action,
    rollbacks: 2,
    learningRateFactor: 0.5,
  });
  const job = (watchdog: PlacedWatchdog) => new TrainingJob(tabularRun(root, { composition: grpo({ watchdogs: [watchdog] }) }));
  const start = (watchdog: PlacedWatchdog, onEvent: (event: RunEvent) => void = () => {}) =>
    runLoop(job(watchdog), { folder: RunFolder.create(path, origin), onEvent });
  const resume = (watchdog: PlacedWatchdog) => runLoop(job(watchdog), { folder: RunFolder.open(path), resume: true });
  const kinds = () =>
    readRun(path)
      .events()
      .map(({ kind, step, source }) => `${kind} ${step} ${source}`);

  it("is warned in terminal and events, and goes on", async () => {
    const warnings: string[] = [];
    const summary = await start(dog("warn"), (event) => event.type === "warning" && warnings.push(event.message));
    expect(summary).to.include({ steps: 6, ended: "steps" });
    expect(kinds()).to.deep.equal(["warning 3 third"]);
    expect(warnings).to.deep.equal(["step 3: it is three"]);
  });

  it("pauses, saved, and can be resumed", async () => {
    expect(await start(dog("pause"))).to.equal(null);
    expect(existsSync(join(path, "checkpoints", "step-3"))).to.equal(true);
    expect(await resume(dog("pause"))).to.include({ steps: 6, ended: "steps" });
    expect(kinds()).to.deep.equal(["pause 3 third"]);
  });

  it("ends, with model and summary", async () => {
    expect(await start(dog("stop"))).to.include({ steps: 3, ended: "watchdog" });
    expect(existsSync(join(path, "model"))).to.equal(true);
    expect(readRun(path).metrics()).to.have.length(3);
  });

  it("is ended by it after a crash before the summary, too", async () => {
    const broken = job(dog("stop"));
    broken.policy.export = () => Promise.reject(new Error("power cut"));
    await runLoop(broken, { folder: RunFolder.create(path, origin) }).catch(() => {});
    expect(await resume(dog("stop"))).to.include({ steps: 3, ended: "watchdog" });
  });

  it("goes back to its last checkpoint and on from there with other samples and half the learning rate", async () => {
    const summary = await start(dog("rollback"));
    expect(summary).to.include({ steps: 6, ended: "steps" });
    const run = readRun(path);
    expect(run.metrics().map(({ step, learningRate }) => [step, learningRate])).to.deep.equal([
      [1, 0.1],
      [2, 0.1],
      ...[3, 4, 5, 6].map((step) => [step, 0.05]),
    ]);
    expect(run.steps()).to.deep.equal([1, 2, 3, 4, 5, 6]);
    const [event] = run.events();
    expect(event).to.deep.include({ kind: "rollback", step: 3, backTo: 2, intervention: { attempt: 1, learningRateFactor: 0.5 } });
    const [third] = [await run.rollouts(3)];
    rmSync(path, { recursive: true });
    await start(dog("warn"));
    expect(third.map(({ noise }) => noise)).to.not.deep.equal((await readRun(path).rollouts(3)).map(({ noise }) => noise));
  });

  it("stops when rollbacks do not help", async () => {
    const summary = await start(dog("rollback", [0.1, 0.05, 0.025]));
    expect(summary).to.include({ steps: 3, ended: "watchdog" });
    expect(kinds()).to.deep.equal(["rollback 3 third", "rollback 3 third", "stop 3 third"]);
    expect(readRun(path).events().at(-1)!.message).to.include("after 2 rollback(s)");
  });

  it("does the same again after a crash behind a rollback", async () => {
    await start(dog("rollback"));
    const whole = readRun(path)
      .metrics()
      .map(({ loss, reward }) => [loss, reward]);
    const events = readRun(path).events();
    rmSync(path, { recursive: true });
    const crashing = job(dog("rollback"));
    const { step } = crashing;
    let steps = 0;
    crashing.step = (...args) => (++steps === 4 ? Promise.reject(new Error("power cut")) : step.apply(crashing, args));
    await runLoop(crashing, { folder: RunFolder.create(path, origin) }).catch(() => {});
    await resume(dog("rollback"));
    expect(
      readRun(path)
        .metrics()
        .map(({ loss, reward }) => [loss, reward]),
    ).to.deep.equal(whole);
    expect(readRun(path).events()).to.deep.equal(events);
  });

  it("is told of a lasting trouble once, and again when it comes back", () => {
    const always: PlacedWatchdog = { ...dog("warn"), component: { check: (history) => (history.at(-1)!.kl! > 1 ? "high" : null) } };
    const history = [0, 2, 2, 0, 2].map((kl, i) => ({ step: i + 1, kl }));
    const barks = history.map((_, i) => alarmsOf([always], history.slice(0, i + 1), 0).length);
    expect(barks).to.deep.equal([0, 1, 0, 0, 1]);
  });
});
