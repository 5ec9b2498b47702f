export const DIVERSITIES = ["inverseSelfBleu", "distinctN", "editDistance"] as const;
export type Diversity = (typeof DIVERSITIES)[number];

type Tokens = ArrayLike<number>;

/** Trajectory diversity score of the responses of one prompt; higher = more diverse. MMR1 technical report, 2025. */
export function diversityScore(kind: Diversity, responses: readonly Tokens[], ngram: number): number {
  switch (kind) {
    case "inverseSelfBleu":
      return inverseSelfBleu(responses);
    case "distinctN":
      return distinct(responses, ngram);
    case "editDistance":
      return meanEditDistance(responses);
  }
}

const ngramsOf = (tokens: Tokens, n: number): string[] =>
  Array.from({ length: Math.max(0, tokens.length - n + 1) }, (_, i) => Array.from({ length: n }, (_, k) => tokens[i + k]).join(" "));

function counts(grams: readonly string[]): Map<string, number> {
  const result = new Map<string, number>();
  for (const gram of grams) result.set(gram, (result.get(gram) ?? 0) + 1);
  return result;
}

/** Distinct n-grams over all n-grams of all responses; 0 without any. */
function distinct(responses: readonly Tokens[], n: number): number {
  const grams = responses.flatMap((tokens) => ngramsOf(tokens, n));
  return grams.length === 0 ? 0 : new Set(grams).size / grams.length;
}

const ORDERS = [1, 2, 3] as const;
/** Stands for no match of a higher order (smoothing "method 1"). */
const SMOOTHED = 0.1;

/** 1 - mean_i BLEU-3 of response i against all others; 0 for fewer than two. */
function inverseSelfBleu(responses: readonly Tokens[]): number {
  if (responses.length < 2) return 0;
  const lengths = responses.map(({ length }) => length);
  const byOrder = ORDERS.map((n) => responses.map((tokens) => counts(ngramsOf(tokens, n))));
  const scores = responses.map((_, i) => bleu(i, lengths, byOrder));
  return 1 - scores.reduce((a, b) => a + b, 0) / scores.length;
}

/** exp(mean over n = 1, 2, 3 of ln precision_n), shortened hypotheses penalised; 0 when no single token matches. */
function bleu(i: number, lengths: readonly number[], byOrder: readonly (readonly Map<string, number>[])[]): number {
  const precisions = byOrder.map((counted, order) => {
    const matched = clippedMatches(
      counted[i]!,
      counted.filter((_, other) => other !== i),
    );
    const all = Math.max(1, lengths[i]! - order);
    return (matched === 0 && order > 0 ? SMOOTHED : matched) / all;
  });
  if (precisions[0] === 0) return 0;
  const geometric = Math.exp(precisions.reduce((sum, p) => sum + Math.log(p), 0) / precisions.length);
  return (
    geometric *
    brevityPenalty(
      lengths[i]!,
      lengths.filter((_, other) => other !== i),
    )
  );
}

/** Each n-gram counts as often as in the reference that has most of it. */
function clippedMatches(own: ReadonlyMap<string, number>, references: readonly ReadonlyMap<string, number>[]): number {
  let total = 0;
  for (const [gram, count] of own) total += Math.min(count, Math.max(...references.map((reference) => reference.get(gram) ?? 0)));
  return total;
}

/** exp(1 - r/c) for a hypothesis of c <= r tokens; r is the reference length closest to c, the shorter of two. */
function brevityPenalty(c: number, references: readonly number[]): number {
  const r = references.reduce((best, length) => {
    const [nearer, other] = [Math.abs(length - c), Math.abs(best - c)];
    return nearer < other || (nearer === other && length < best) ? length : best;
  });
  return c > r ? 1 : Math.exp(1 - r / c);
}

/** Mean Levenshtein distance over all pairs, tokens; 0 without a pair. */
function meanEditDistance(responses: readonly Tokens[]): number {
  const distances = responses.flatMap((a, i) => responses.slice(i + 1).map((b) => editDistance(a, b)));
  return distances.length === 0 ? 0 : distances.reduce((a, b) => a + b, 0) / distances.length;
}

export function editDistance(a: Tokens, b: Tokens): number {
  let row = Int32Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = Int32Array.of(i, ...new Int32Array(b.length));
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min(replaced, row[j]! + 1, next[j - 1]! + 1);
    }
    row = next;
  }
  return row[b.length]!;
}
