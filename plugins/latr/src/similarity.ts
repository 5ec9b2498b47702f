type Tokens = ArrayLike<number>;

/** Fewest insertions, deletions and substitutions that make b of a (Levenshtein). */
export function editDistance(a: Tokens, b: Tokens): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** Length of the longest common subsequence. */
function commonSubsequence(a: Tokens, b: Tokens): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (let i = 0; i < a.length; i++) {
    const next = [0];
    for (let j = 0; j < b.length; j++) next[j + 1] = a[i] === b[j] ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!);
    row = next;
  }
  return row[b.length]!;
}

/** F1 of the longest common subsequence, 0–1. */
export function rougeL(a: Tokens, b: Tokens): number {
  const common = commonSubsequence(a, b);
  if (common === 0) return 0;
  const [precision, recall] = [common / a.length, common / b.length];
  return (2 * precision * recall) / (precision + recall);
}

/** Length of the longest suffix of a that occurs anywhere in b. */
function suffixIn(a: Tokens, b: Tokens): number {
  let longest = 0;
  for (let end = 1; end <= b.length; end++) {
    let length = 0;
    while (length < Math.min(a.length, end) && a[a.length - 1 - length] === b[end - 1 - length]) length++;
    longest = Math.max(longest, length);
  }
  return longest;
}

/** Longest suffix of one that occurs in the other, per token of a, 0–1. */
export const suffixMatch = (a: Tokens, b: Tokens): number => Math.max(suffixIn(a, b), suffixIn(b, a)) / Math.max(1, a.length);

export interface PruningOptions {
  /** null = test off. */
  editThreshold: number | null;
  suffixThreshold: number | null;
  rougeThreshold: number | null;
}

export interface Similarity {
  editRatio: number;
  suffixMatch: number;
  rougeL: number;
  prune: boolean;
}

/** How much a branch still resembles its parent since the fork, and whether it is to go: any enabled test fires and neither has ended. LATR (2510.24302). */
export function compareBranches(child: Tokens, parent: Tokens, isEnd: (token: number) => boolean, o: PruningOptions): Similarity {
  const editRatio = editDistance(child, parent) / Math.max(1, child.length);
  const suffix = suffixMatch(child, parent);
  const rouge = rougeL(child, parent);
  const fires =
    (o.editThreshold !== null && editRatio < o.editThreshold) ||
    (o.suffixThreshold !== null && suffix > o.suffixThreshold) ||
    (o.rougeThreshold !== null && rouge > o.rougeThreshold);
  const ended = [child, parent].some((tokens) => Array.from(tokens).some(isEnd));
  return { editRatio, suffixMatch: suffix, rougeL: rouge, prune: fires && !ended };
}
