import { isVariable } from "./expression.js";
import { cut, nesting, topLevel } from "./tokens.js";

type Tokens = readonly string[];

/** Sides joined by relation signs, flipped so that they read "less than" from left to right. */
export interface Relation {
  readonly signs: readonly string[];
  readonly sides: readonly Tokens[];
}

const FLIPPED: ReadonlyMap<string, string> = new Map([
  [">", "<"],
  ["≥", "≤"],
]);
const RELATION_SIGNS = new Set(["=", "<", ">", "≤", "≥", "≠"]);

/** A relation outside all brackets. null for a plain answer, and for a list of several relations. */
export function parseRelation(tokens: Tokens): Relation | null {
  const at = topLevel(tokens, (token) => RELATION_SIGNS.has(token));
  if (at.length === 0 || (at.length > 1 && topLevel(tokens, (token) => token === ",").length > 0)) return null;
  const signs = at.map((i) => tokens[i]!);
  const sides = cut(tokens, at);
  if (signs.every((sign) => sign === "=")) return { signs: ["="], sides: [sides[0]!, sides.at(-1)!] };
  if (!signs.every((sign) => FLIPPED.has(sign))) return { signs, sides };
  return { signs: signs.map((sign) => FLIPPED.get(sign)!).reverse(), sides: sides.reverse() };
}

export const isEquation = ({ signs }: Relation): boolean => signs[0] === "=";

/** "v = …" with v one letter. */
export const isAssignment = (relation: Relation): boolean =>
  isEquation(relation) && relation.sides[0]!.length === 1 && isVariable(relation.sides[0]![0]);

/** Several items: a set or a bare list (in any order), or a tuple or interval with its brackets. */
export interface Sequence {
  readonly brackets: "set" | "()" | "(]" | "[)" | "[]";
  readonly items: readonly Tokens[];
}

const BRACKETS: ReadonlyMap<string, Sequence["brackets"]> = new Map([
  ...["()", "(]", "[)", "[]"].map((pair) => [pair, pair as Sequence["brackets"]] as const),
  ...["{}", "\\{\\}"].map((pair) => [pair, "set"] as const),
]);

const splitAtCommas = (tokens: Tokens): Tokens[] =>
  cut(
    tokens,
    topLevel(tokens, (token) => token === ","),
  );

/** A list of at least two items, or null. Expects an unwrapped answer. */
export function parseSequence(tokens: Tokens): Sequence | null {
  const bare = splitAtCommas(tokens);
  if (bare.length > 1) return { brackets: "set", items: bare };
  const brackets = BRACKETS.get(`${tokens[0]}${tokens.at(-1)}`);
  if (brackets === undefined || partners(tokens).get(0) !== tokens.length - 1) return null;
  const items = splitAtCommas(tokens.slice(1, -1));
  return items.length > 1 ? { brackets, items } : null;
}

const GROUPS = new Set(["()", "[]", "{}", "\\{\\}"]);

/** One item in brackets is the item itself: drops all brackets around the whole but those of a list. */
export function unwrap(tokens: Tokens): Tokens {
  const partner = partners(tokens);
  const end = tokens.length - 1;
  let depth = 0;
  while (partner.get(depth) === end - depth && GROUPS.has(`${tokens[depth]}${tokens[end - depth]}`)) depth++;
  const inner = tokens.slice(depth, tokens.length - depth);
  return depth > 0 && splitAtCommas(inner).length > 1 ? tokens.slice(depth - 1, tokens.length - depth + 1) : inner;
}

/** Index of the closing bracket of each opening one. */
function partners(tokens: Tokens): ReadonlyMap<number, number> {
  const result = new Map<number, number>();
  const open: number[] = [];
  tokens.forEach((token, i) => {
    const change = nesting(token);
    if (change > 0) open.push(i);
    else if (change < 0 && open.length > 0) result.set(open.pop()!, i);
  });
  return result;
}
