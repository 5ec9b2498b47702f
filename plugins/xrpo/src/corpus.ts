import type { Prompt } from "@proximal/core";

/** A question with a response that was verified. */
export interface Solved {
  question: string;
  answer: string;
}

/** Counts of the text's character trigrams (of the whole text when it is shorter). */
function trigrams(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i < Math.max(1, text.length - 2); i++) {
    const gram = text.slice(i, i + 3);
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

/** Cosine of the trigram counts of two texts, 0–1. It stands in for the embeddings of the paper. */
export function similarity(a: string, b: string): number {
  const [x, y] = [trigrams(a), trigrams(b)];
  let dot = 0;
  for (const [gram, count] of x) dot += count * (y.get(gram) ?? 0);
  const norm = (counts: Map<string, number>) => Math.hypot(...counts.values());
  return dot / (norm(x) * norm(y));
}

/** The `count` most similar other questions, most similar first; ties in the order in which they were solved. */
export function nearestSolved(corpus: Readonly<Record<string, Solved>>, { id, text }: Prompt, count: number): Solved[] {
  return Object.entries(corpus)
    .filter(([other]) => other !== id)
    .map(([, solved]) => ({ solved, near: similarity(solved.question, text) }))
    .sort((a, b) => b.near - a.near)
    .slice(0, count)
    .map(({ solved }) => solved);
}
