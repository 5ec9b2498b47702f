const MULTIPLIER = 0xd256d193;
const WEYL = 0x9e3779b9;

/** High 32 bits of the product of two 32-bit numbers. */
function multiplyHigh(a: number, b: number): number {
  const [aHigh, aLow] = [a >>> 16, a & 0xffff];
  const [bHigh, bLow] = [b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** Philox2x32-10: two random words for a counter of two words and a key. Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". */
export function philox(counter: readonly [number, number], key: number): [number, number] {
  let [left, right] = counter;
  let k = key;
  for (let round = 0; round < 10; round++) {
    const high = multiplyHigh(MULTIPLIER, left);
    const low = Math.imul(MULTIPLIER, left) >>> 0;
    [left, right] = [(high ^ k ^ right) >>> 0, low];
    k = (k + WEYL) >>> 0;
  }
  return [left, right];
}

/** The draw of a response `key` at a position: uniform in [0, 1), a multiple of 2⁻²⁴ and so exact in float32. */
export const uniform = (key: number, position: number): number => (philox([position >>> 0, 0], key >>> 0)[0] >>> 8) / 2 ** 24;
