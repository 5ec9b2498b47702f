import { statistics } from "@proximal/core";

export interface WeightOptions {
  strength: number;
  thresholdMode: "correctMean" | "fixed";
  beta: number;
  threshold: number;
}

/**
 * τ of one group. fixed: a constant. correctMean: beta times the least mean token score of a non-empty correct response, 0 without
 * any. THR (2510.03669); the form of correctMean is a reading.
 */
export function thresholdOf(scores: readonly Float64Array[], isCorrect: readonly boolean[], o: WeightOptions): number {
  if (o.thresholdMode === "fixed") return o.threshold;
  const means = scores.filter((row, i) => isCorrect[i] && row.length > 0).map((row) => statistics.mean(row));
  return means.length === 0 ? 0 : o.beta * Math.min(...means);
}

/** 1[|THR| > τ]·(1 + strength·sign(THR)). THR (2510.03669). */
export const tokenWeight = (score: number, threshold: number, strength: number): number =>
  Math.abs(score) > threshold ? 1 + strength * Math.sign(score) : 0;
