import { expect } from "chai";
import { drawFrom, Random, tokenF1, wordsOf } from "../../src/index.js";

describe("drawing from a pool", () => {
  const pool = [3, 5, 8, 13];
  it("takes no entry twice while there are others", () => expect(new Set(drawFrom(pool, 4, new Random(1)))).to.deep.equal(new Set(pool)));
  it("takes every entry before any comes again", () =>
    expect(
      drawFrom(pool, 9, new Random(1))
        .slice(0, 8)
        .sort((a, b) => a - b),
    ).to.deep.equal([3, 3, 5, 5, 8, 8, 13, 13]));
  it("draws nothing from an empty pool", () => expect(drawFrom([], 3, new Random(1))).to.deep.equal([]));
  it("draws the same again from the same stream", () =>
    expect(drawFrom(pool, 3, new Random(7))).to.deep.equal(drawFrom(pool, 3, new Random(7))));
});

describe("token F1", () => {
  const table: [predicted: string, reference: string, f1: number][] = [
    ["", "", 1],
    ["a", "", 0],
    ["", "a", 0],
    ["a b", "b a", 1],
    ["a b", "c", 0],
    ["a a a", "a", 0.5],
    ["a b c", "a b", 0.8],
  ];
  for (const [predicted, reference, f1] of table)
    it(`of "${predicted}" and "${reference}" is ${f1}`, () =>
      expect(tokenF1(wordsOf(predicted), wordsOf(reference))).to.be.closeTo(f1, 1e-12));
});
