import { statistics } from "@proximal/core";

export interface MixEntry {
  /** From this training step on. */
  step: number;
  /** Share of tree rollouts. */
  ratio: number;
}

/** k = round half to even of groupSize·ratio, with the ratio of the last entry whose step ≤ t; 0 before the first. */
export function treeRollouts(trainingStep: number, schedule: readonly MixEntry[], groupSize: number): number {
  const ratio = schedule
    .filter(({ step }) => step <= trainingStep)
    .reduce((last, entry) => (entry.step >= last.step ? entry : last), {
      step: Number.NEGATIVE_INFINITY,
      ratio: 0,
    }).ratio;
  return statistics.roundHalfEven(groupSize * ratio);
}

/** Branches at which tree mode ends: round(k·prompts·(θ0 - θdecay·step / maxTokens)). */
export const returnTarget = (
  branches: number,
  decodingStep: number,
  maxTokens: number,
  o: { returnThreshold: number; returnDecay: number },
): number => statistics.roundHalfEven(branches * (o.returnThreshold - (o.returnDecay * decodingStep) / maxTokens));
