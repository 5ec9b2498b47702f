import { distance } from "fastest-levenshtein";

const plain = (name: string): string => name.toLowerCase().replaceAll(/[-_ ]/g, "");

/**
 * The candidate that `name` was probably meant to be: up to two edits, or a third of the letters (one in a name of
 * up to three); case, `-` and `_` do not count.
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  const given = plain(name);
  for (const candidate of candidates) {
    const edits = distance(given, plain(candidate));
    const length = Math.max(given.length, plain(candidate).length);
    const limit = length <= 3 ? 1 : Math.max(2, Math.floor(length / 3));
    if (edits <= limit && edits < least) [best, least] = [candidate, edits];
  }
  return best;
}

export const didYouMean = (name: string, candidates: Iterable<string>): string | undefined => {
  const meant = nearest(name, candidates);
  return meant === undefined ? undefined : `did you mean "${meant}"?`;
};
