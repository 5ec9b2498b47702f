export interface ScheduleOptions {
  /** Peak. */
  learningRate: number;
  schedule: "constant" | "linear" | "cosine";
  /** Steps over which the rate rises linearly; the first step has 1/warmupSteps of the peak. */
  warmupSteps: number;
  /** Where a linear or cosine schedule ends. */
  minLearningRate: number;
}

/** Learning rate of a step, from 0. A linear or cosine schedule reaches its minimum at the last step. */
export function learningRateAt(
  step: number,
  totalSteps: number,
  { learningRate, schedule, warmupSteps, minLearningRate }: ScheduleOptions,
): number {
  if (step < warmupSteps) return (learningRate * (step + 1)) / warmupSteps;
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - 1 - warmupSteps));
  const decay = schedule === "constant" ? 1 : schedule === "linear" ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2;
  return minLearningRate + (learningRate - minLearningRate) * decay;
}
