import { statistics } from "@proximal/core";

export interface AugmentationOptions {
  window: number;
  deadZone: number;
  slope: number;
}

export interface Augmentation {
  /** Mean reward of the last batches minus that of this prompt: positive = hard. */
  difficulty: number;
  mode: "easier" | "harder" | "none";
  /** In [0, 1]; 0 for none. */
  strength: number;
}

const NONE: Augmentation = { difficulty: 0, mode: "none", strength: 0 };

/**
 * Δ = mean of all rewards of the last `window` batches - the prompt's mean reward. Hard prompts (Δ > 0) shall become easier,
 * easy ones harder, with strength min(1, slope·|Δ|); |Δ| <= deadZone leaves them alone. 2506.07464; dead zone and slope are a
 * reading.
 */
export function augmentationOf(
  buffer: readonly (readonly number[])[],
  meanReward: number,
  { window, deadZone, slope }: AugmentationOptions,
): Augmentation {
  const pooled = buffer.slice(-window).flat();
  if (pooled.length === 0) return NONE;
  const difficulty = statistics.mean(pooled) - meanReward;
  if (Math.abs(difficulty) <= deadZone) return { ...NONE, difficulty };
  return { difficulty, mode: difficulty > 0 ? "easier" : "harder", strength: Math.min(1, slope * Math.abs(difficulty)) };
}
