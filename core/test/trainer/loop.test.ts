import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import {
  CheckpointError,
  type LoopOptions,
  latestCheckpoint,
  type RunEvent,
  RunFolder,
  type RunParts,
  type RunSummary,
  readCheckpoint,
  runLoop,
  TrainingJob,
  UsageError,
} from "../../src/index.js";
import { tabularRun, temporaryFolder } from "../doubles/runs.js";

type Over = Parameters<typeof tabularRun>[1];

const isTime = (name: string): boolean => /^(seconds|rss|time)|PerSecond$/.test(name);

/** metrics.jsonl without the fields that tell time. */
const metricsOf = (folder: string): string =>
  readFileSync(join(folder, "metrics.jsonl"), "utf8").replaceAll(/"([^"]+)":[^,}]+,?/g, (field, name: string) =>
    isTime(name) ? "" : field,
  );

const rolloutsOf = (folder: string): string[] =>
  readdirSync(join(folder, "rollouts")).map((name) => `${name} ${readFileSync(join(folder, "rollouts", name)).toString("base64")}`);

const origin = { kind: "train", folder: ".", config: {} } as const;

describe("a training run", () => {
  let root: string;
  let count = 0;
  beforeEach(() => {
    root = temporaryFolder();
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const start = (over: Over = {}, options: Partial<LoopOptions> = {}): Promise<RunSummary | null> & { path: string } => {
    const path = options.folder?.path ?? join(root, `run-${count++}`);
    const folder = options.folder ?? RunFolder.create(path, origin);
    return Object.assign(runLoop(new TrainingJob(tabularRun(root, over)), { ...options, folder }), { path });
  };
  const resume = (path: string, over: Over = {}, options: Partial<LoopOptions> = {}) =>
    start(over, { ...options, folder: RunFolder.open(path), resume: true });

  it("leaves config, metrics, rollouts, checkpoints, model and summary", async () => {
    const run = start();
    const summary = (await run)!;
    expect(readdirSync(run.path).sort()).to.deep.equal([
      "checkpoints",
      "config.json",
      "metrics.jsonl",
      "model",
      "report.html",
      "rollouts",
      "run.json",
      "summary.json",
    ]);
    expect(readdirSync(join(run.path, "checkpoints")).sort()).to.deep.equal(["step-2", "step-4", "step-6"]);
    expect(readdirSync(join(run.path, "rollouts"))).to.deep.equal([
      ...[1, 2, 3, 4, 5, 6].map((step) => `step-00000${step}.parquet`),
      "vocabulary.json",
    ]);
    const records = RunFolder.open(run.path).metrics();
    expect(records.map(({ step }) => step)).to.deep.equal([1, 2, 3, 4, 5, 6]);
    expect(records.map((record) => record["eval.accuracy"] !== undefined)).to.deep.equal([false, false, true, false, false, true]);
    expect(records[0]).to.have.property("evalStart.accuracy");
    expect(summary).to.deep.equal(JSON.parse(readFileSync(join(run.path, "summary.json"), "utf8")));
    expect(summary).to.include({ steps: 6, seed: 1, skippedUpdates: 0, formatVersion: 1 });
    expect(summary.evalAccuracyEnd).to.equal(records[5]!["eval.accuracy"]);
    expect(summary.rewardEnd).to.equal(records[5]!.reward);
  });

  it("gives the same bytes for the same seed, and others for another", async () => {
    const runs = [start(), start(), start({ settings: { seed: 2 } })];
    await Promise.all(runs);
    const [a, b, other] = runs.map(({ path }) => [metricsOf(path), rolloutsOf(path)]);
    expect(b).to.deep.equal(a);
    expect(other![0]).to.not.equal(a![0]);
    expect(a![0]).to.include('"reward"');
  });

  it("does not disturb another run in the same process", async () => {
    const alone = start();
    await alone;
    const together = [start({ settings: { seed: 5 } }), start(), start({ settings: { seed: 6 } })];
    await Promise.all(together);
    expect(metricsOf(together[1]!.path)).to.equal(metricsOf(alone.path));
  });

  it("ends with the step in which the sampler has drawn the token budget, also across a stop, and evaluates then", async () => {
    const over: Over = { settings: { trainer: { steps: 50, tokenBudget: 250, checkpointEvery: 1 }, evaluation: { every: 0 } } };
    const whole = start(over);
    const summary = (await whole)!;
    const records = RunFolder.open(whole.path).metrics();
    const drawn = records.map(({ drawnTokens }) => drawnTokens!);
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    expect(sum(drawn)).to.be.at.least(250);
    expect(sum(drawn.slice(0, -1))).to.be.below(250);
    expect(summary.steps).to.equal(records.length);
    expect(records.at(-1)).to.have.property("eval.accuracy");
    const stop = new AbortController();
    const stopped = start(over, { signal: stop.signal, onEvent: (event) => event.type === "step" && stop.abort() });
    expect(await stopped).to.equal(null);
    await resume(stopped.path, over);
    expect(metricsOf(stopped.path)).to.equal(metricsOf(whole.path));
  });

  for (const stopAfter of [1, 2, 3, 5]) {
    it(`continues after a stop in step ${stopAfter} as if nothing had happened, byte for byte`, async () => {
      const whole = start();
      await whole;
      const stop = new AbortController();
      const onEvent = (event: RunEvent) => event.type === "step" && event.record.step === stopAfter && stop.abort();
      const stopped = start({}, { signal: stop.signal, onEvent });
      expect(await stopped).to.equal(null);
      expect(existsSync(join(stopped.path, "summary.json"))).to.equal(false);
      await resume(stopped.path);
      expect(metricsOf(stopped.path)).to.equal(metricsOf(whole.path));
      expect(rolloutsOf(stopped.path)).to.deep.equal(rolloutsOf(whole.path));
    });
  }

  /** A run whose policy fails in the update of a step, with everything that was written by then. */
  const crash = async (step: number, over: Over = {}): Promise<string> => {
    const run = tabularRun(root, over);
    let updates = 0;
    const { update } = run.policy;
    run.policy.update = (request) => (++updates === step ? Promise.reject(new Error("power cut")) : update.call(run.policy, request));
    const path = join(root, `crash-${count++}`);
    const failed = await runLoop(new TrainingJob(run), { folder: RunFolder.create(path, origin) }).catch((error: Error) => error.message);
    expect(failed).to.equal("power cut");
    return path;
  };

  for (const step of [1, 2, 4, 6]) {
    it(`computes again what a crash in step ${step} lost, byte for byte`, async () => {
      const whole = start();
      await whole;
      const path = await crash(step);
      expect(RunFolder.open(path).finished).to.equal(false);
      await resume(path);
      expect(metricsOf(path)).to.equal(metricsOf(whole.path));
      expect(rolloutsOf(path)).to.deep.equal(rolloutsOf(whole.path));
    });
  }

  it("cuts what was written after the last checkpoint", async () => {
    const path = await crash(6, { settings: { trainer: { checkpointEvery: 4 } } });
    const before = RunFolder.open(path).metrics();
    expect(before).to.have.length(5);
    writeFileSync(join(path, "metrics.jsonl"), '{"step": 6, "torn', { flag: "a" });
    const whole = start({ settings: { trainer: { checkpointEvery: 4 } } });
    await Promise.all([whole, resume(path, { settings: { trainer: { checkpointEvery: 4 } } })]);
    expect(metricsOf(path)).to.equal(metricsOf(whole.path));
  });

  const damages: [string, (folder: string) => void, RegExp][] = [
    ["a changed byte", (folder) => spoil(join(folder, "policy", "table.json")), /checksum/],
    ["a cut file", (folder) => writeFileSync(join(folder, "trainer.json"), "{"), /bytes/],
    ["a missing file", (folder) => rmSync(join(folder, "trainer.json")), /missing/],
    ["a missing manifest", (folder) => rmSync(join(folder, "manifest.json")), /manifest/],
  ];
  const spoil = (file: string) => {
    const bytes = readFileSync(file);
    bytes[10]! ^= 1;
    writeFileSync(file, bytes);
  };
  for (const [what, damage, message] of damages) {
    it(`sees ${what} in a checkpoint, says so and uses the one before`, async () => {
      const whole = start();
      await whole;
      const path = await crash(6);
      const newest = join(path, "checkpoints", "step-4");
      damage(newest);
      expect(await readCheckpoint(newest).catch((error: unknown) => error)).to.be.instanceOf(CheckpointError);
      const events: RunEvent[] = [];
      await resume(path, {}, { onEvent: (event) => events.push(event) });
      const warning = events.find((event) => event.type === "warning")!;
      expect(warning.type === "warning" && warning.message)
        .to.match(message)
        .and.include("step-4");
      expect(events.find((event) => event.type === "start")).to.include({ from: 2 });
      expect(metricsOf(path)).to.equal(metricsOf(whole.path));
    });
  }

  it("keeps the newest checkpoints only, each of them whole, with versions and offsets", async () => {
    const run = start({ settings: { trainer: { checkpointEvery: 1, keepCheckpoints: 2 } } });
    await run;
    expect(readdirSync(join(run.path, "checkpoints")).sort()).to.deep.equal(["step-5", "step-6"]);
    const { manifest } = (await latestCheckpoint(join(run.path, "checkpoints"), () => {}))!;
    expect(manifest).to.include({ step: 6, formatVersion: 2 });
    expect(manifest.offsets).to.deep.equal({ metrics: readFileSync(join(run.path, "metrics.jsonl")).length, events: 0, rollouts: 6 });
    expect(manifest.versions).to.include.keys("@proximal/core", "node", "engine");
  });

  it("counts skipped updates in its summary and warns of each", async () => {
    const run = tabularRun(root);
    const { update } = run.policy;
    let updates = 0;
    run.policy.update = (request) =>
      update.call(
        run.policy,
        ++updates === 3
          ? { ...request, batch: request.batch.with({ advantages: new Float64Array(request.batch.rows).fill(Number.NaN) }) }
          : request,
      );
    const events: RunEvent[] = [];
    const summary = await runLoop(new TrainingJob(run), {
      folder: RunFolder.create(join(root, "nan"), origin),
      onEvent: (event) => events.push(event),
    });
    expect(summary!.skippedUpdates).to.equal(1);
    expect(events.filter((event) => event.type === "warning")).to.have.length(1);
    expect(RunFolder.open(join(root, "nan")).metrics()[2]).to.include({ loss: null, skipped: 1 });
  });

  it("works without held-out prompts", async () => {
    const { data } = tabularRun(root);
    const parts: Partial<RunParts> = { data: { ...data, held: null } };
    expect(await start(parts)).to.include({ evalAccuracyStart: null, evalAccuracyEnd: null, steps: 6 });
  });

  it("refuses a folder in use, and overwrites nothing but a run that it is told to", async () => {
    const path = join(root, "run");
    await start({}, { folder: RunFolder.create(path, origin) });
    expect(() => RunFolder.create(path, origin)).to.throw(UsageError, "finished run");
    writeFileSync(join(path, "notes.txt"), "mine");
    RunFolder.create(path, origin, { overwrite: true });
    expect(readdirSync(path).sort()).to.deep.equal(["checkpoints", "config.json", "notes.txt", "rollouts", "run.json"]);
    expect(() => RunFolder.create(path, origin)).to.throw(UsageError, "unfinished run");
    expect(() => RunFolder.create(root, origin, { overwrite: true })).to.throw(UsageError, "no run");
    expect(() => RunFolder.open(join(root, "none"))).to.throw(UsageError, "no such run");
  });
});
