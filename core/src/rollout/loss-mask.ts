import type { Batch } from "./batch.js";

/** Flat [tokens]: tokens that the policy chose and that no estimator took out. */
export function lossMask(batch: Batch): Uint8Array {
  const mask = batch.has("mask") ? Uint8Array.from(batch.f64("mask")) : new Uint8Array(batch.tokens).fill(1);
  if (batch.has("keepTokens")) {
    const keep = batch.f64("keepTokens");
    for (let i = 0; i < mask.length; i++) if (!keep[i]) mask[i] = 0;
  }
  return mask;
}
