import { expect } from "chai";
import fc from "fast-check";
import { roundHalfEven } from "../../src/builtin/round.js";

/** Exact: x = mantissa·2^-1074, rounded as a fraction of integers. */
function exactly(x: number, decimals: number): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, Math.abs(x));
  const raw = bits.getBigUint64(0);
  const exponent = Number(raw >> 52n);
  const fraction = raw & ((1n << 52n) - 1n);
  const numerator = (exponent === 0 ? fraction : (fraction | (1n << 52n)) << BigInt(exponent - 1)) * 10n ** BigInt(decimals);
  const denominator = 1n << 1074n;
  const floor = numerator / denominator;
  const twice = 2n * (numerator % denominator);
  const rounded = twice > denominator || (twice === denominator && floor % 2n === 1n) ? floor + 1n : floor;
  const digits = rounded.toString().padStart(decimals + 1, "0");
  return Math.sign(x) * Number(`${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`);
}

describe("rounding to decimals", () => {
  const table: [x: number, decimals: number, rounded: number][] = [
    [0.0078125, 6, 0.007812],
    [0.0234375, 6, 0.023438],
    [-0.125, 2, -0.12],
    [0.375, 2, 0.38],
    [2.5, 1, 2.5],
    [0.25, 1, 0.2],
    [1.75, 1, 1.8],
    [1.005, 2, 1],
    [0.285, 2, 0.28],
    [1e300, 6, 1e300],
  ];
  for (const [x, decimals, rounded] of table)
    it(`${x} to ${decimals} is ${rounded}`, () => expect(roundHalfEven(x, decimals)).to.equal(rounded));

  it("is that of exact arithmetic for any double", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), fc.integer({ min: 1, max: 12 }), (x, decimals) => {
        expect(roundHalfEven(x, decimals)).to.equal(exactly(x, decimals));
      }),
    );
  });
  it("is that of exact arithmetic at ties", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: 1, max: 12 }), (n, decimals) => {
        const x = n / 2 ** (decimals + 1);
        expect(roundHalfEven(x, decimals)).to.equal(exactly(x, decimals));
      }),
    );
  });
});
