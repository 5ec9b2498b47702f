import { Random, roundHalfEven } from "@proximal/core";
import { type Expression, type Point, parseExpression } from "./expression.js";

const TOLERANCE = 1e-9;
const POINTS = 6;
const NEGATIVE_POINTS = 3;
/** Draws until enough points lie where both sides have a value. */
const MAX_DRAWS = 60;

/** Rule 7 on normalised tokens: equal as text, as numbers, or at random points. */
export function sameScalar(prediction: readonly string[], gold: readonly string[], decimals: number): boolean {
  if (prediction.length === gold.length && prediction.every((token, i) => token === gold[i])) return true;
  const a = parseExpression(prediction);
  const b = parseExpression(gold);
  if (a === null || b === null || a.variables.join() !== b.variables.join()) return false;
  if (a.variables.length > 0) return agreeAtPoints(a, b);
  const [x, y] = [a.evaluate(new Map()), b.evaluate(new Map())];
  if (!Number.isFinite(x) || !Number.isFinite(y)) return false;
  const isRounded = [...prediction, ...gold].some((token) => token === "." || token === "%");
  return isRounded ? roundHalfEven(x, decimals) === roundHalfEven(y, decimals) : isClose(x, y);
}

const isClose = (x: number, y: number): boolean => Math.abs(x - y) <= TOLERANCE * Math.max(1, Math.abs(x), Math.abs(y));

/**
 * Equal at 6 points in [0.5, 3] for every variable, and wherever both sides have a value at points with all variables
 * negative or one of them: these tell √(x²) from x. The points are the same in every call.
 */
function agreeAtPoints(a: Expression, b: Expression): boolean {
  const random = new Random(0, ["math-verify"]);
  const draw = (isNegative: (variable: string) => boolean): Point =>
    new Map(a.variables.map((name) => [name, (isNegative(name) ? -1 : 1) * (0.5 + 2.5 * random.uniform())]));

  let agreed = 0;
  for (let draws = 0; agreed < POINTS; draws++) {
    if (draws === MAX_DRAWS) return false;
    const point = draw(() => false);
    const [x, y] = [a.evaluate(point), b.evaluate(point)];
    if (Number.isFinite(x) !== Number.isFinite(y)) return false;
    if (!Number.isFinite(x)) continue;
    if (!isClose(x, y)) return false;
    agreed++;
  }

  const mixed = a.variables.length > 1 ? a.variables.map((alone) => draw((name) => name === alone)) : [];
  const negative = Array.from({ length: NEGATIVE_POINTS }, () => draw(() => true));
  return [...negative, ...mixed].every((point) => {
    const [x, y] = [a.evaluate(point), b.evaluate(point)];
    return !Number.isFinite(x) || !Number.isFinite(y) || isClose(x, y);
  });
}
