import type { ResolvedConfig } from "../config/resolve.js";
import { ConfigError } from "../errors.js";

/**
 * Refuses what makes training wrong. With a repetition penalty the probability of a token depends on which tokens came before
 * in a way that log-probs leave out: the ratio would be 1 on samples of another distribution, and the policy would learn to
 * undo the penalty. Evaluation and generation may use it.
 */
export function checkTrainingSampling({ sampling, place }: ResolvedConfig): void {
  if (sampling.repetitionPenalty === 1) return;
  throw new ConfigError("a run cannot train on samples that a repetition penalty shaped: their log-probs leave it out", {
    file: place("sampling.repetitionPenalty"),
    path: "sampling.repetitionPenalty",
    given: sampling.repetitionPenalty,
    accepted: "1 (off)",
    hint: "proximal eval and generate take it: --set sampling.repetitionPenalty=1.2; a reward can discourage repetition",
  });
}

/** What the log-probs of filtered samples are, for the header; nothing where nothing is filtered. */
export function samplingNotes({ sampling: { topK, topP, minP } }: ResolvedConfig): string[] {
  const filters = [topK > 0 ? "topK" : "", topP < 1 ? "topP" : "", minP > 0 ? "minP" : ""].filter((name) => name !== "");
  if (filters.length === 0) return [];
  return [`log-probs are of the whole distribution: ratios start at 1, though ${filters.join(", ")} cut off its tail`];
}
