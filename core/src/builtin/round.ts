/**
 * The decimal of `decimals` places nearest to the exact binary value of `x`, ties to even, as the nearest double.
 * `toFixed` works on the exact value but sends ties away from zero. A tie is a multiple of 2^-(decimals + 1), so it has
 * at most decimals + 1 places and the last of them is 5.
 */
export function roundHalfEven(x: number, decimals: number): number {
  const size = Math.abs(x);
  if (!(size < 1e21)) return x;
  const oneMore = size.toFixed(decimals + 1);
  const isTie = Number.isInteger(size * 2 ** (decimals + 1)) && oneMore.endsWith("5");
  const towardsZero = oneMore.slice(0, -1);
  const rounded = isTie && /[02468]\.?$/.test(towardsZero) ? towardsZero : size.toFixed(decimals);
  return Math.sign(x) * Number(rounded);
}
