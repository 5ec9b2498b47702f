/**
 * h = 1 + floor(u·(H - 1)) tokens of a reference of H tokens, when `mixDraw` is below the reset probability and H ≥ 2; else 0.
 * At least one token is left free. DR-PO (2404.08495).
 */
export function rollinLength(referenceLength: number, mixDraw: number, positionDraw: number, resetProbability: number): number {
  if (referenceLength < 2 || mixDraw >= resetProbability) return 0;
  return 1 + Math.floor(positionDraw * (referenceLength - 1));
}
