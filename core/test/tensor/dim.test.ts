import { expect } from "chai";
import fc from "fast-check";
import { addDims, canonicalDim, type Dim, evaluateDim, solveDim, subtractDims } from "../../src/tensor/index.js";

const bindings = new Map([
  ["A", 5],
  ["B", 3],
  ["T", 7],
]);

describe("sizes", () => {
  it("have one spelling", () => {
    const table: [Dim, Dim][] = [
      [3, 3],
      ["T", "T"],
      ["B+A", "A+B"],
      ["T-1-1", "T-2"],
      ["T+0", "T"],
      ["T-T", 0],
      ["T+T", "2*T"],
      ["3+T", "T+3"],
      ["2*A-B+4-A", "A-B+4"],
      ["-T+T+A", "A"],
      ["7", 7],
    ];
    for (const [given, expected] of table) expect(canonicalDim(given), String(given)).equal(expected);
  });

  it("that are no sum of symbols and numbers are refused", () => {
    for (const text of ["", "T U", "T*2", "T/2", "+", "2T", "T--1", "(T)"]) expect(() => canonicalDim(text), text).throws("is no size");
  });

  const dim = fc
    .array(fc.tuple(fc.constantFrom("A", "B", "T", ""), fc.integer({ min: 0, max: 4 })), { minLength: 1, maxLength: 4 })
    .map((terms) => terms.map(([symbol, n]) => (symbol ? `${n}*${symbol}` : `${n}`)).join("+"));

  it("add and subtract like the numbers that they stand for", () => {
    fc.assert(
      fc.property(dim, dim, (a, b) => {
        expect(evaluateDim(addDims(a, b), bindings)).equal(evaluateDim(a, bindings) + evaluateDim(b, bindings));
        expect(subtractDims(addDims(a, b), b)).equal(canonicalDim(a));
        expect(canonicalDim(canonicalDim(a))).equal(canonicalDim(a));
      }),
    );
  });

  it("are solved for their only free symbol", () => {
    const table: [Dim, number, ReturnType<typeof solveDim>][] = [
      ["P-1", 4, { symbol: "P", value: 5 }],
      ["A+P", 9, { symbol: "P", value: 4 }],
      ["2*P", 6, { symbol: "P", value: 3 }],
      ["2*P", 5, undefined],
      ["P+3", 2, undefined],
      ["A", 5, undefined],
    ];
    for (const [given, size, expected] of table) expect(solveDim(given, size, bindings), `${given} = ${size}`).deep.equal(expected);
  });

  it("without a value, or below 0, are errors", () => {
    expect(() => evaluateDim("Q-1", bindings)).throws("the size Q-1 has no value: no feed binds Q");
    expect(() => evaluateDim("B-5", bindings)).throws("the size B-5 comes out as -2");
  });
});
