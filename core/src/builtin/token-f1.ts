/**
 * Harmonic mean of precision and recall of two multisets of tokens, in [0, 1]: 1 when both are empty, 0 when one is.
 * Rajpurkar et al. 2016 (1606.05250), section 6.1.
 */
export function tokenF1(predicted: readonly string[], reference: readonly string[]): number {
  if (predicted.length === 0 || reference.length === 0) return predicted.length === reference.length ? 1 : 0;
  const left = new Map<string, number>();
  for (const token of reference) left.set(token, (left.get(token) ?? 0) + 1);
  let common = 0;
  for (const token of predicted) {
    const count = left.get(token) ?? 0;
    if (count === 0) continue;
    left.set(token, count - 1);
    common++;
  }
  if (common === 0) return 0;
  const [precision, recall] = [common / predicted.length, common / reference.length];
  return (2 * precision * recall) / (precision + recall);
}

/** Words of a text, split at whitespace. */
export const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => word !== "");
