import { expect } from "chai";
import { philox } from "../../src/generation/noise.js";
import { uniform } from "../../src/index.js";

const hex = (words: readonly number[]) => words.map((word) => word.toString(16).padStart(8, "0")).join(" ");

describe("noise of decoding", () => {
  for (const [counter, key, expected] of [
    [[0, 0], 0, "ff1dae59 6cd10df2"],
    [[0xffffffff, 0xffffffff], 0xffffffff, "2c3f628b ab4fd7ad"],
    [[0x243f6a88, 0x85a308d3], 0x13198a2e, "dd7ce038 f62a4c12"],
  ] as const) {
    it(`philox of counter ${hex(counter)} and key ${hex([key])} is Random123's known answer`, () => {
      expect(hex(philox(counter, key))).to.equal(expected);
    });
  }

  const draws = (f: (i: number) => number) => Array.from({ length: 4096 }, (_, i) => f(i));
  const chiSquare = (values: readonly number[], bins: number) => {
    const counts = new Array<number>(bins).fill(0);
    for (const value of values) counts[Math.floor(value * bins)]!++;
    const expected = values.length / bins;
    return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  };

  for (const [name, values] of [
    ["positions of one key", draws((i) => uniform(12345, i))],
    ["keys at one position", draws((i) => uniform(i, 7))],
  ] as const) {
    it(`is uniform over ${name}`, () => {
      // 63 degrees of freedom: above 103 once in a thousand.
      expect(chiSquare(values, 64)).to.be.below(103);
    });

    it(`does not correlate with its successor over ${name}`, () => {
      const centred = values.map((value) => value - 0.5);
      const covariance = centred.slice(1).reduce((sum, value, i) => sum + value * centred[i]!, 0) / (values.length - 1);
      // Standard error 1/(12·√4096) = 0.0013.
      expect(Math.abs(covariance)).to.be.below(4 * 0.0013);
    });
  }

  it("is a multiple of 2⁻²⁴ below 1, so float32 holds it exactly", () => {
    for (const value of draws((i) => uniform(i * 7919, i))) {
      expect(Math.fround(value)).to.equal(value);
      expect(value).to.be.within(0, 1 - 2 ** -24);
    }
  });
});
