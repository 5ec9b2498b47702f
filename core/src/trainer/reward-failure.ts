import { PluginError } from "../errors.js";
import type { RewardContext, RewardFailure, RewardResult } from "../extension/index.js";
import type { Batch } from "../rollout/index.js";
import type { PlacedReward } from "./composition.js";

const NO_LIMIT: RewardFailure = { timeoutSeconds: null, retries: 0, onFailure: "stop" };

/**
 * Scores with as many tries as the config allows. What still fails stops the run, or leaves all responses unverifiable, counted
 * as `failed`. A model that answers too late is not waited for.
 */
export async function scoreSafely(part: PlacedReward, batch: Batch, context: RewardContext): Promise<RewardResult> {
  const { timeoutSeconds, retries, onFailure } = part.failure ?? NO_LIMIT;
  for (let attempt = 0; ; attempt++) {
    try {
      const result = await within(timeoutSeconds, part.id, async () => part.component.score(batch, context));
      return onFailure === "stop" ? result : { ...result, metrics: { ...result.metrics, failed: 0 } };
    } catch (error) {
      if (attempt < retries) continue;
      if (onFailure === "stop") throw error;
      return { rewards: new Float64Array(batch.rows).fill(Number.NaN), metrics: { failed: batch.rows } };
    }
  }
}

async function within<T>(seconds: number | null, id: string, work: () => Promise<T>): Promise<T> {
  if (seconds === null) return work();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new PluginError(`the reward "${id}" took longer than ${seconds} s`, {
      hint: "raise its timeoutSeconds, or set its onFailure to unverifiable",
    });
    timer = setTimeout(() => reject(error), seconds * 1000);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
