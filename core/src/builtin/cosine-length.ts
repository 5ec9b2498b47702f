import { type Static, Type } from "typebox";
import type { Batch } from "../rollout/index.js";

/** Ends of the cosine length reward and the length at which its half-wave ends; each paper has defaults of its own. */
export const cosineLengthOptions = (defaults: {
  minCorrect: number;
  maxCorrect: number;
  minWrong: number;
  maxWrong: number;
  maxLength: number;
  clampProgress: boolean;
}) =>
  Type.Object({
    minCorrect: Type.Number({ default: defaults.minCorrect, description: "Reward of a right answer of length maxLength" }),
    maxCorrect: Type.Number({ default: defaults.maxCorrect, description: "Reward of a right answer of length 0" }),
    minWrong: Type.Number({ default: defaults.minWrong, description: "Reward of a wrong answer of length 0" }),
    maxWrong: Type.Number({ default: defaults.maxWrong, description: "Reward of a wrong answer of length maxLength" }),
    maxLength: Type.Number({ default: defaults.maxLength, exclusiveMinimum: 0, description: "Scale of the lengths, in lengthUnit" }),
    clampProgress: Type.Boolean({
      default: defaults.clampProgress,
      description: "Longer responses count as maxLength; otherwise the cosine goes on, periodically",
    }),
  });

export type CosineLengthOptions = Static<ReturnType<typeof cosineLengthOptions>>;

/**
 * lo + (hi - lo)·(1 + cos(π·length / maxLength)) / 2: from hi at length 0 to lo at maxLength, with (lo, hi) =
 * (minCorrect, maxCorrect) for a right answer and (maxWrong, minWrong) for a wrong one. Yeo et al. 2025 (2502.03373), eq. 1.
 */
export function cosineLength(correct: boolean, length: number, o: CosineLengthOptions): number {
  const progress = length / o.maxLength;
  const wave = Math.cos(Math.PI * (o.clampProgress ? Math.min(1, progress) : progress));
  const [low, high] = correct ? [o.minCorrect, o.maxCorrect] : [o.maxWrong, o.minWrong];
  return low + 0.5 * (high - low) * (1 + wave);
}

export const lengthUnitOption = Type.Union([Type.Literal("chars"), Type.Literal("tokens")], {
  default: "chars",
  description: "What lengths count: characters of the completion, or response tokens",
});

/** [B] length of each response in the given unit. */
export const responseLengths = (batch: Batch, unit: "chars" | "tokens"): ArrayLike<number> =>
  unit === "tokens" ? batch.lengths : batch.strings("completions").map((text) => text.length);
