import { fieldOf } from "../data/index.js";
import { PluginError } from "../errors.js";
import type { PolicyOutput, ScoreRow } from "../policy/index.js";
import { TEACHER_COLUMN } from "../registry/columns.js";
import { type Batch, boundedLogp, type ColumnInput, type ColumnSpecs } from "../rollout/index.js";
import type { Run } from "./run.js";

/** Columns of the trainer's own. */
export const TRAINER_SPECS = {
  /** Place of the row among all rows that the step sampled. */
  rolloutRow: { at: "row", dtype: "i32" },
  /** The sampler's log-probs where `oldLogp` was recomputed. */
  samplerLogp: { at: "token", dtype: "f64" },
} as const satisfies ColumnSpecs;

/** Name of the frozen copy of the first policy. */
export const REFERENCE = "reference";

/** What the policy has to compute for a column that a component on the host reads. */
const OUTPUT_OF: Readonly<Record<string, PolicyOutput>> = {
  logp: "logp",
  entropy: "entropy",
  oldEntropy: "entropy",
  values: "values",
  oldValues: "values",
  hidden: "hidden",
  candidateProbs: "topK",
  candidateTokens: "topK",
  candidateIndex: "topK",
};

export const rowsOf = (batch: Batch): ScoreRow[] =>
  batch.trajectories.map(({ prompt, tokens }) => ({ prompt: prompt.tokens, response: tokens }));

/** Adds those of the `wanted` columns that only the policy, or the teacher, can give and that the batch lacks. */
export async function addPolicyColumns(run: Run, batch: Batch, wanted: ReadonlySet<string>, recomputeOldLogp = false): Promise<Batch> {
  const { policy, settings } = run;
  const { temperature } = settings.sampling;
  const missing = [...wanted].filter((name) => !batch.has(name));
  const outputs = new Set(missing.flatMap((name) => OUTPUT_OF[name] ?? []));
  if (recomputeOldLogp) outputs.add("logp");
  const rows = rowsOf(batch);
  if (rows.length === 0) return batch;
  const columns: Record<string, ColumnInput> = {};
  if (outputs.size > 0) {
    const topK = run.composition.advantage?.component.candidates ?? run.program.topK;
    const scored = await policy.score(rows, { outputs: [...outputs], temperature, topK });
    const logp = scored.logp && boundedLogp(scored.logp);
    const values: Record<string, ColumnInput | undefined> = {
      logp,
      entropy: scored.entropy,
      oldEntropy: scored.entropy,
      values: scored.values,
      oldValues: scored.values,
      hidden: scored.hidden,
      candidateProbs: scored.candidateProbs,
      candidateTokens: scored.candidateTokens,
      candidateIndex: scored.candidateTokens && candidateIndex(batch, scored.candidateTokens),
    };
    for (const name of missing) if (values[name] !== undefined) columns[name] = values[name];
    if (recomputeOldLogp) Object.assign(columns, { oldLogp: logp, samplerLogp: batch.f64("oldLogp") });
  }
  if (missing.includes("refLogp")) {
    const reference = await policy.score(rows, { outputs: ["logp"], temperature, snapshot: REFERENCE });
    columns.refLogp = boundedLogp(reference.logp!);
  }
  if (missing.includes(TEACHER_COLUMN) && run.teacher !== undefined) {
    columns[TEACHER_COLUMN] = boundedLogp((await run.teacher.score(rows, { outputs: ["logp"], temperature })).logp!);
  }
  return batch.with(columns, run.specs);
}

/** Position of each response token among its K candidates, or -1. */
function candidateIndex(batch: Batch, candidates: Int32Array): Int32Array {
  const width = candidates.length / batch.tokens;
  return batch.i32("tokens").map((token, t) => candidates.subarray(t * width, (t + 1) * width).indexOf(token));
}

/** Adds the columns that the config fills from fields of the records. */
export function addDataColumns(run: Run, batch: Batch): Batch {
  const columns: Record<string, ColumnInput> = {};
  for (const [name, field] of Object.entries(run.dataColumns)) {
    columns[name] = batch.trajectories.map(({ prompt }) => fieldOf(prompt.fields, field) ?? null);
  }
  return batch.with(columns, run.specs);
}

/** Neutral values of the factors that a component declares but left out in this step. */
export function completeFactors(run: Run, batch: Batch): Batch {
  if (batch.rows === 0) return batch;
  const columns: Record<string, ColumnInput> = {};
  for (const name of run.program.columns) {
    if (batch.has(name)) continue;
    if (name === "weights") columns.weights = new Float64Array(batch.rows).fill(1);
    if (name === "tokenWeights") columns.tokenWeights = new Float64Array(batch.tokens).fill(1);
    if (name === "advantages") {
      throw new PluginError(`the advantage estimator "${run.composition.advantage?.id}" returned no column "advantages"`);
    }
  }
  return batch.with(columns, run.specs);
}
