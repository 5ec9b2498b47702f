import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../errors.js";
import type { Metrics } from "../extension/index.js";
import type { PolicyBackend } from "../policy/index.js";
import { resolveConfig } from "../registry/resolve.js";
import { isTimeField } from "./metrics.js";
import { withRecordedModel } from "./recorded-model.js";
import type { Run } from "./run.js";
import { fromJson } from "./serialize.js";
import { trainingStep } from "./step.js";
import {
  bestStep,
  type Checkpoint,
  listCheckpoints,
  type MetricsRecord,
  RunReader,
  readCheckpoint,
  type StoredRow,
} from "./store/index.js";
import { openRun } from "./train.js";
import { TrainingJob } from "./training-job.js";
import { type Alternative, WhatIf, type WhatIfOptions } from "./what-if.js";

export interface ReplayOptions extends WhatIfOptions {
  /** What is being done, for whoever waits. */
  onProgress?: (text: string) => void;
}

/** A stored step, computed again. */
export interface Replay {
  step: number;
  /** Steps that were done in the checkpoint it started from; null = from the first model. */
  checkpoint: number | null;
  /** Steps between that checkpoint and this one, computed again to get its parameters. */
  recomputed: number;
  /** Responses of all these steps: taken from the rollouts, and decoded anew because they were not kept. */
  fromRollouts: number;
  decoded: number;
  metrics: Metrics;
  stored: MetricsRecord;
  /** Metrics whose value is not the stored one to the bit. Empty = the replay is exact. */
  different: readonly string[];
  alternative?: Alternative;
}

/**
 * Computes a step of a run again, from the newest checkpoint before it; responses come from the rollouts wherever they are
 * stored. `with`: what another algorithm, gate, objective or estimator would have made of the same rollouts.
 */
export async function replay(path: string, step: number, { onProgress = () => {}, ...options }: ReplayOptions = {}): Promise<Replay> {
  const folder = RunReader.read(path);
  const stored = storedStep(folder, step);
  const where = { cwd: folder.origin.folder, packages: [process.cwd()] };
  const run = await withRecordedModel(path, () => openRun(resolveConfig(join(path, "config.json"), where)));
  try {
    const whatIf = options.with === undefined && options.set === undefined ? undefined : await WhatIf.open(run, folder, options, where);
    const job = new TrainingJob(run);
    const from = await startBefore(run, job, folder, step);
    const decode = new StoredResponses(run.policy);
    for (let done = from ?? 0; done < step - 1; done++) {
      onProgress(`step ${done + 1}: computing the parameters of step ${step}`);
      await decode.use(folder, done + 1);
      interveneAt(run, folder, done);
      await trainingStep(run, done);
      if (folder.metrics()[done]?.["eval.accuracy"] !== undefined) await job.evaluate(done + 1);
    }
    onProgress(`step ${step}`);
    await decode.use(folder, step);
    interveneAt(run, folder, step - 1);
    const outcome = await trainingStep(run, step - 1, whatIf?.hooks(step - 1));
    const alternative = whatIf === undefined ? undefined : whatIf.compare(outcome);
    return {
      step,
      checkpoint: from,
      recomputed: step - 1 - (from ?? 0),
      fromRollouts: decode.found,
      decoded: decode.missed,
      metrics: outcome.metrics,
      stored,
      different: differencesOf(outcome.metrics, stored),
      ...(alternative === undefined ? {} : { alternative }),
    };
  } finally {
    await run.close();
  }
}

function storedStep(folder: RunReader, step: number): MetricsRecord {
  if (folder.origin.kind !== "train") throw new UsageError("supervised runs have no rollouts to replay", { file: folder.path });
  const records = folder.metrics();
  const record = records.find((entry) => entry.step === step);
  if (record !== undefined) return record;
  throw new UsageError(`the run has no step ${step}`, {
    file: folder.path,
    accepted: records.length === 0 ? "none yet" : `1–${records.length}`,
  });
}

/** Brings policy and states to the newest whole checkpoint before the step. Returns its steps; null = the first model. */
async function startBefore(run: Run, job: TrainingJob, folder: RunReader, step: number): Promise<number | null> {
  const found = await checkpointBefore(folder.checkpoints, step);
  if (found === null) {
    await job.prepare();
    await job.evaluate(0);
    return null;
  }
  const saved = fromJson(readFileSync(join(found.folder, "trainer.json"), "utf8")) as { job: unknown };
  job.restore(saved.job);
  await run.policy.restore(join(found.folder, "policy"));
  return found.manifest.step;
}

/** What the newest rollback to here or before changed. */
function interveneAt(run: Run, folder: RunReader, done: number): void {
  const rollback = [...folder.events()].reverse().find(({ backTo }) => backTo !== undefined && backTo <= done);
  if (rollback !== undefined) run.intervention = rollback.intervention!;
}

async function checkpointBefore(checkpoints: string, step: number): Promise<Checkpoint | null> {
  const best = bestStep(checkpoints);
  const all = [
    ...(await listCheckpoints(checkpoints)).map((path) => ({ path, step: Number(path.slice(path.lastIndexOf("-") + 1)) })),
    ...(best === null ? [] : [{ path: join(checkpoints, "best"), step: best }]),
  ];
  for (const { path } of all.filter((entry) => entry.step < step).sort((a, b) => b.step - a.step)) {
    const whole = await readCheckpoint(path).catch(() => null);
    if (whole !== null) return whole;
  }
  return null;
}

/** Answers decode requests from the rollouts of a step, told by the noise they were drawn with. */
class StoredResponses {
  found = 0;
  missed = 0;
  private rows = new Map<number, StoredRow>();

  constructor(policy: PolicyBackend) {
    const decode = policy.decode.bind(policy);
    policy.decode = async (requests, options) => {
      const known = requests.map(({ key, prompt, prefix = new Int32Array() }) => {
        const row = this.rows.get(key);
        const isKnown =
          row !== undefined &&
          equal(row.promptTokens, prompt) &&
          equal(row.tokens.subarray(0, prefix.length), prefix) &&
          row.mask[prefix.length] !== 0;
        return isKnown ? row : undefined;
      });
      const missing = requests.filter((_, i) => known[i] === undefined);
      const decoded = (await decode(missing, options)).values();
      this.found += requests.length - missing.length;
      this.missed += missing.length;
      return known.map((row, i) => {
        if (row === undefined) return decoded.next().value!;
        const end = endOfTurn(row, requests[i]!.prefix?.length ?? 0);
        return {
          tokens: row.tokens.subarray(0, end),
          logp: row.logp.subarray(0, end),
          finish: row.finish === "length" ? "length" : "stop",
        };
      });
    };
  }

  async use(folder: RunReader, step: number): Promise<void> {
    const rows = folder.steps().includes(step) ? await folder.rollouts(step) : [];
    this.rows = new Map(rows.flatMap((row) => (row.noise === null ? [] : [[row.noise, row] as const])));
  }
}

/** Where the policy's tokens end that follow the first `start` ones: at what an environment wrote, or with the response. */
function endOfTurn({ mask }: StoredRow, start: number): number {
  const end = mask.indexOf(0, start);
  return end < 0 ? mask.length : end;
}

const equal = (a: Int32Array, b: Int32Array): boolean => a.length === b.length && a.every((value, i) => value === b[i]);

/** Evaluations are not part of the step. */
function differencesOf(metrics: Metrics, stored: MetricsRecord): string[] {
  const names = new Set(
    [...Object.keys(metrics), ...Object.keys(stored)].filter((name) => !/^eval(Start)?\./.test(name) && !isTimeField(name)),
  );
  const value = (x: number | null | undefined) => (Number.isFinite(x) ? x : null);
  return [...names].filter((name) => !Object.is(value(metrics[name]), value(stored[name])));
}
