import { statistics } from "@proximal/core";

/** Where a curriculum stands: its stage and the success of the last steps in it, oldest first. */
export interface Progress {
  stage: number;
  recent: readonly number[];
}

/** Lowest and highest number of hops of each stage. */
export type StageHops = readonly (readonly number[])[];

/**
 * After a step with mean success s: the next stage, with a cleared history, once the mean of the last `window` values is at
 * least `promoteAt`; the last stage never ends. SearchGym (2601.14615), reconstructed.
 */
export function advance(
  { stage, recent }: Progress,
  success: number,
  o: { stageHops: StageHops; window: number; promoteAt: number },
): Progress {
  const last = [...recent, success].slice(-o.window);
  const promoted = last.length === o.window && statistics.mean(last) >= o.promoteAt && stage + 1 < o.stageHops.length;
  return promoted ? { stage: stage + 1, recent: [] } : { stage, recent: last };
}

/** Ascending indices of the questions of a stage; of the nearest lower stage that has any when it has none. */
export function eligibleQuestions(hops: readonly number[], stage: number, stageHops: StageHops): number[] {
  for (let at = stage; at >= 0; at--) {
    const [low, high] = stageHops[at] as readonly [number, number];
    const found = [...hops.keys()].filter((i) => hops[i]! >= low && hops[i]! <= high);
    if (found.length > 0) return found;
  }
  return [];
}
