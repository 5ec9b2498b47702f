import { type Batch, lossMask } from "../rollout/index.js";
import { rewardParts } from "./evaluate.js";
import { correctness } from "./metrics.js";
import type { Run } from "./run.js";
import type { StepOutcome } from "./step.js";
import type { RowUpdate, StoredRow } from "./store/index.js";
import { tokenEffects } from "./token-effects.js";

const known = (value: number | undefined): number | null => (value === undefined || Number.isNaN(value) ? null : value);

/** Every sampled row of a step, with what the update did to those that were trained on. */
export function rolloutRows(run: Run, outcome: StepOutcome): StoredRow[] {
  const { sampled } = outcome;
  const [rewards, correct, parts] = [sampled.f64("rewards"), correctness(sampled), Object.entries(rewardParts(run, sampled))];
  const updates = rowUpdates(run, outcome);
  return sampled.trajectories.map(({ prompt, tokens, mask, logp, text, finish, temperature, noise, columns }, row) => ({
    row,
    group: sampled.group[row]!,
    promptId: prompt.id,
    prompt: prompt.text,
    promptTokens: prompt.tokens,
    golds: prompt.golds,
    text,
    finish,
    temperature,
    noise: noise ?? null,
    reward: known(rewards[row]),
    rewards: Object.fromEntries(parts.map(([name, values]) => [name, known(values[row])])),
    correct: known(correct[row]),
    tokens,
    mask,
    logp,
    update: updates.get(row) ?? null,
    columns: ownColumns(columns, tokens.length),
  }));
}

/** Values of the whole response: its texts are stored already, and lists by token follow from them. */
const ownColumns = (columns: Readonly<Record<string, unknown>> = {}, length: number): Record<string, unknown> => {
  const isByToken = (value: unknown) => (Array.isArray(value) || ArrayBuffer.isView(value)) && (value as unknown[]).length === length;
  return Object.fromEntries(Object.entries(columns).filter(([name, value]) => name !== "lastTurn" && !isByToken(value)));
};

/** By place among the sampled rows. */
function rowUpdates(run: Run, { trained, seen }: StepOutcome): Map<number, RowUpdate> {
  if (trained.rows === 0) return new Map();
  const mask = lossMask(trained);
  const logp = lastLogp(trained, seen);
  const { gate, facts } = tokenEffects(run, trained, seen);
  const { offsets } = trained;
  const places = trained.i32("rolloutRow");
  const advantages = trained.has("advantages") ? trained.f64("advantages") : new Float64Array(trained.tokens);
  const oldLogp = trained.f64("oldLogp");
  return new Map(
    Array.from(places, (place, row) => {
      const own = <A extends Float64Array | Uint8Array>(values: A): A => values.slice(offsets[row], offsets[row + 1]) as A;
      return [
        place,
        {
          kept: own(mask),
          advantages: own(advantages),
          oldLogp: own(oldLogp),
          logp: logp && own(logp),
          gate: gate && own(gate),
          facts: Object.fromEntries(Object.entries(facts).map(([name, values]) => [name, own(values)])),
        },
      ];
    }),
  );
}

/** Log-probs of the last update that each row took part in, flat; null when the engine tells none. */
function lastLogp(trained: Batch, seen: StepOutcome["seen"]): Float64Array | null {
  if (seen.length === 0) return null;
  const all = new Float64Array(trained.tokens).fill(Number.NaN);
  for (const { rows, logp } of seen) {
    let at = 0;
    for (const row of rows) {
      const length = trained.offsets[row + 1]! - trained.offsets[row]!;
      all.set(logp.subarray(at, at + length), trained.offsets[row]!);
      at += length;
    }
  }
  return all;
}
