import { type Batch, lossMask } from "@proximal/core";

/** Columns that the sampler writes beside the rollout. */
export const WINDOW_COLUMNS = {
  /** 1 = the response ended or reached its longest length; 0 = it goes on in the next step. */
  finished: { name: "finished", at: "row", dtype: "bool" },
  /** First token that was generated in this step. */
  windowStart: { name: "windowStart", at: "row", dtype: "i32" },
  /** 1 = token of the value loss. */
  valueMask: { name: "valueMask", at: "token", dtype: "bool" },
} as const;

/**
 * Tokens of the two losses, flat [tokens]. Policy: those of the present window, less the last `tailDrop` of a response that was cut.
 * Value: all tokens of finished responses. T-PPO (2506.15050); tailDrop is an added option.
 */
export function tokenSets(batch: Batch, tailDrop: number): { policyMask: Uint8Array; valueMask: Uint8Array } {
  const mask = lossMask(batch);
  const [finished, windowStart] = [batch.f64("finished"), batch.i32("windowStart")];
  const policyMask = new Uint8Array(batch.tokens);
  for (let row = 0; row < batch.rows; row++) {
    const [from, to] = [batch.offsets[row]!, batch.offsets[row + 1]!];
    const end = finished[row] ? to : to - tailDrop;
    for (let t = from + windowStart[row]!; t < end; t++) policyMask[t] = mask[t]!;
  }
  const ofFinished = batch.repeat(finished);
  return { policyMask, valueMask: mask.map((on, t) => (ofFinished[t] ? on : 0)) };
}

/** Entries of a mask that are set. */
export const count = (mask: ArrayLike<number>): number => Array.from(mask).reduce((n, on) => n + (on ? 1 : 0), 0);
