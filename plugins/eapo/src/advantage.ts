import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  groupNormalize,
  options,
  type Static,
  type StepContext,
  statistics,
  Type,
} from "@proximal/core";
import { EPISODE_COLUMNS } from "./episode.js";

const { mean } = statistics;

export const eapoOptions = Type.Object({
  gamma: Type.Number({ default: 0.995, exclusiveMinimum: 0, maximum: 1, description: "Discount for each round that follows" }),
  workers: Type.Integer({ default: 1, minimum: 1, description: "The number of trained rounds is cut to a multiple of it" }),
  stdEps: Type.Number({ default: 1e-6, exclusiveMinimum: 0, description: "Added to the std" }),
});

/** Rounds that are trained on: floor(count / workers)·workers. */
export const downSampled = (count: number, workers: number): number => count - (count % workers);

/**
 * r_t = gamma^(T - t)·R_T for round t of T, normalised over all rounds of all episodes of a question: A = (r - mean) / (std + eps), one
 * value a round, [B]. A forced stop has R_T = 0. EAPO (2511.07327).
 */
@advantageEstimator({
  id: "eapo",
  description: "Terminal reward discounted by the rounds that follow, normalised over all rounds of a question",
  options: eapoOptions,
  reads: ["rewards", "turn", EPISODE_COLUMNS.rounds, { ...EPISODE_COLUMNS.finished, optional: true }],
  writes: ["advantages", "keep", { name: "roundRewards", at: "row", dtype: "f64" }],
  conventions: { std: "sample (n - 1), over the rounds of a question", groupOfOne: "0" },
})
export class EapoAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof eapoOptions>) {}

  estimate(batch: Batch, { random }: StepContext): EstimateResult {
    const { gamma, workers, stdEps } = this.o;
    const [turn, rounds] = [batch.i32("turn"), batch.i32("rounds")];
    const finished = batch.has("finished") ? batch.f64("finished") : new Float64Array(batch.rows).fill(1);
    const terminal = batch.f64("rewards").map((reward, row) => (finished[row] ? reward : 0));
    const roundRewards = terminal.map((reward, row) => gamma ** (rounds[row]! - 1 - turn[row]!) * reward);
    const normalization = { scale: "group", ddof: 1, stdEps, groupOfOne: "zero", advClip: null } as const;
    const advantages = groupNormalize(roundRewards, batch.groupRows, normalization);
    const keep = new Uint8Array(batch.rows).fill(1);
    const kept = downSampled(batch.rows, workers);
    for (const row of random.permutation(batch.rows).subarray(kept)) keep[row] = 0;
    const last = [...turn.keys()].filter((row) => turn[row] === rounds[row]! - 1);
    const won = last.filter((row) => terminal[row]! > 0);
    return {
      columns: { advantages: [...advantages], keep, roundRewards },
      metrics: {
        rounds: mean(last.map((row) => rounds[row]!)),
        roundsOfSuccess: mean(won.map((row) => rounds[row]!)),
        success: won.length / last.length,
        droppedRounds: batch.rows - kept,
      },
    };
  }
}
