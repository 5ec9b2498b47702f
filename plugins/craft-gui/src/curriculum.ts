export interface StageOptions {
  /** Longest trajectory of each stage but the last, steps; increasing. */
  stageMaxSteps: readonly number[];
  /** First training step of each stage; increasing, starts with 0. */
  stageStart: readonly number[];
  cumulative: boolean;
  understandingLast: boolean;
}

/** Stage of a task, from 0: the first whose bound its trajectory keeps; longer ones, and understanding if so chosen, the last. */
export function stageOf(steps: number, isUnderstanding: boolean, o: StageOptions): number {
  const last = o.stageStart.length - 1;
  if (isUnderstanding && o.understandingLast) return last;
  const found = o.stageMaxSteps.findIndex((bound) => steps <= bound);
  return found < 0 ? last : Math.min(found, last);
}

/** The largest stage k with t >= stageStart_k. */
export const currentStage = (step: number, { stageStart }: StageOptions): number => stageStart.filter((start) => step >= start).length - 1;

/** Ascending indices of the tasks of the current stage (`cumulative`: of all up to it); of the nearest easier stage when it has none. */
export function eligibleTasks(stages: readonly number[], current: number, cumulative: boolean): number[] {
  for (let stage = current; stage >= 0; stage--) {
    const found = [...stages.keys()].filter((i) => (cumulative ? stages[i]! <= stage : stages[i] === stage));
    if (found.length > 0) return found;
  }
  return [];
}
