import { parseMatrix } from "./matrix.js";
import { isParsed } from "./normalize.js";
import { sameScalar } from "./scalar.js";
import { isAssignment, isEquation, parseRelation, parseSequence, type Relation, type Sequence, unwrap } from "./structure.js";
import { tokenizeUnspaced } from "./tokens.js";

type Tokens = readonly string[];

/** Rules 4 to 7 on normalised answers. `decimals`: places to which decimals and percentages are rounded. */
export function sameAnswer(prediction: string, gold: string, decimals: number): boolean {
  if (prediction === "" || gold === "") return false;
  if (prediction === gold) return true;
  if (!isParsed(prediction) || !isParsed(gold)) return false;
  const [p, g] = [tokenizeUnspaced(prediction), tokenizeUnspaced(gold)];
  const sameSide = (a: Tokens, b: Tokens) => sameValue(a, b, decimals);
  const [inPrediction, inGold] = [parseRelation(p), parseRelation(g)];
  if (inPrediction !== null && inGold !== null) return sameRelation(inPrediction, inGold, sameSide);
  if (inPrediction !== null) return isEquation(inPrediction) && sameSide(inPrediction.sides[1]!, g);
  if (inGold !== null) return isAssignment(inGold) && sameSide(p, inGold.sides[1]!);
  return sameSide(p, g);
}

/** Rule 5: the same signs between equal sides. An equation reads the same from right to left. */
function sameRelation(a: Relation, b: Relation, sameSide: (x: Tokens, y: Tokens) => boolean): boolean {
  if (a.signs.join() !== b.signs.join()) return false;
  const inOrder = (sides: readonly Tokens[]) => sides.every((side, i) => sameSide(side, b.sides[i]!));
  return inOrder(a.sides) || (isEquation(a) && inOrder([...a.sides].reverse()));
}

/** Rules 5 (matrices), 6 and 7 on an answer or one side of a relation. */
function sameValue(prediction: Tokens, gold: Tokens, decimals: number): boolean {
  const [p, g] = [unwrap(prediction), unwrap(gold)];
  const same = (a: Tokens, b: Tokens) => sameScalar(a, b, decimals);

  const [matrix, goldMatrix] = [parseMatrix(p), parseMatrix(g)];
  if (matrix !== null && goldMatrix !== null) {
    const sameRow = (row: readonly Tokens[], goldRow: readonly Tokens[]) => sameInOrder(row, goldRow, same);
    return matrix.kind === goldMatrix.kind && sameInOrder(matrix.rows, goldMatrix.rows, sameRow);
  }

  const [list, goldList] = [parseSequence(p), parseSequence(g)];
  if (list !== null && goldList !== null) return sameSequence(list, goldList, same);
  return list === null && goldList === null && same(p, g);
}

/** Rule 6: sets and bare lists in any order, everything else in order and in the same brackets. */
function sameSequence(a: Sequence, b: Sequence, same: (x: Tokens, y: Tokens) => boolean): boolean {
  if (a.brackets !== b.brackets) return false;
  return a.brackets === "set" ? sameInAnyOrder(a.items, b.items, same) : sameInOrder(a.items, b.items, same);
}

function sameInOrder<T>(a: readonly T[], b: readonly T[], same: (x: T, y: T) => boolean): boolean {
  return a.length === b.length && a.every((item, i) => same(item, b[i]!));
}

/**
 * Whether the items pair off one to one. Equality within a tolerance is not transitive, so a first match may have to be
 * given up for another: augmenting paths in the bipartite graph of equal items.
 */
function sameInAnyOrder<T>(a: readonly T[], b: readonly T[], same: (x: T, y: T) => boolean): boolean {
  if (a.length !== b.length) return false;
  const equal = a.map((x) => b.flatMap((y, j) => (same(x, y) ? [j] : [])));
  const partnerOf = new Map<number, number>();
  const place = (i: number, tried: Set<number>): boolean =>
    equal[i]!.some((j) => {
      if (tried.has(j)) return false;
      tried.add(j);
      const holder = partnerOf.get(j);
      if (holder !== undefined && !place(holder, tried)) return false;
      partnerOf.set(j, i);
      return true;
    });
  return a.every((_, i) => place(i, new Set()));
}
