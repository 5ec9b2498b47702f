import { expect } from "chai";
import fc from "fast-check";
import { parseExpression } from "../src/expression.js";
import { normalize } from "../src/normalize.js";
import { tokenizeUnspaced } from "../src/tokens.js";

const parse = (latex: string) => parseExpression(tokenizeUnspaced(normalize(latex)));
const point = new Map([
  ["x", 1.7],
  ["y", 0.6],
]);

describe("expressions", () => {
  const values: [latex: string, value: number][] = [
    ["2 + 3 \\cdot 4", 14],
    ["2 - 3 - 4", -5],
    ["12 / 3 / 2", 2],
    ["2^3^2", 512],
    ["2^{-1}", 0.5],
    ["-2^2", -4],
    ["(-2)^2", 4],
    ["--+3", 3],
    ["2(3)[4]\\{5\\}{6}", 720],
    ["10 + 5\\%", 10.05],
    ["\\frac{1}{\\frac12}", 2],
    ["\\sqrt\\frac{1}{4}", 0.5],
    ["\\sqrt[3]{27}", 3],
    ["\\sqrt[4]{16}", 2],
    [".5 + 1.", 1.5],
    ["2pi + 2\\pi", 4 * Math.PI],
    ["sqrt(16)", 4],
    ["3x^2y", 3 * 1.7 ** 2 * 0.6],
    ["x(y + 1)", 1.7 * 1.6],
    ["6 ÷ 3 × 2 − 1", 3],
  ];
  for (const [latex, value] of values) it(`${latex} is ${value}`, () => expect(parse(latex)!.evaluate(point)).to.be.closeTo(value, 1e-12));

  for (const latex of [
    "",
    "+",
    "2+",
    "2 * * 3",
    "(2",
    "2)",
    "(2]",
    "\\frac{1}",
    "\\sqrt",
    "1.2.3",
    ".",
    "x_1",
    "5!",
    "|x|",
    "\\sin x",
    "\\infty",
    "1,2",
    "^2",
  ]) {
    it(`"${latex}" is no expression`, () => expect(parse(latex)).to.equal(null));
  }

  it("have each letter once as variable, constants not", () =>
    expect(parse("z e x \\pi x \\alpha")!.variables).to.deep.equal(["\\alpha", "x", "z"]));
  it("have no value under the zeroth root", () => expect(parse("\\sqrt[0]{0.5}")!.evaluate(point)).to.be.NaN);

  for (const [name, latex] of [
    ["brackets", `${"(".repeat(900)}1${")".repeat(900)}`],
    ["fractions", `${"\\frac{1}{".repeat(200)}2${"}".repeat(200)}`],
    ["powers", "2^".repeat(900)],
    ["unbraced roots", "\\sqrt".repeat(300)],
  ] as const) {
    it(`nested deeper than people write are none: ${name}`, () => expect(parse(latex)).to.equal(null));
  }
  it("may be long sums", () => expect(parse(`${"1+".repeat(900)}1`)!.evaluate(point)).to.equal(901));

  interface Tree {
    latex: string;
    value: number;
  }
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.nat(99).map((n) => ({ latex: String(n), value: n })),
      fc.constantFrom(
        { latex: "x", value: 1.7 },
        { latex: "y", value: 0.6 },
        { latex: "\\pi", value: Math.PI },
        { latex: "e", value: Math.E },
      ),
      fc
        .tuple(tie("tree"), tie("tree"))
        .chain(([a, b]) =>
          fc.constantFrom(
            { latex: `(${a.latex}+${b.latex})`, value: a.value + b.value },
            { latex: `(${a.latex} - ${b.latex})`, value: a.value - b.value },
            { latex: `(${a.latex})(${b.latex})`, value: a.value * b.value },
            { latex: `${a.latex} \\cdot ${b.latex}`, value: a.value * b.value },
            { latex: `\\frac{${a.latex}}{${b.latex}}`, value: a.value / b.value },
          ),
        ),
      tie("tree").map((a) => ({ latex: `\\sqrt{${a.latex}}`, value: Math.sqrt(a.value) })),
      tie("tree").map((a) => ({ latex: `\\left(-${a.latex}\\right)`, value: -a.value })),
      tie("tree").map((a) => ({ latex: `\\left(${a.latex}\\right)^{2}`, value: a.value ** 2 })),
    ),
  }));

  it("have the value of the tree that they were written from", () => {
    fc.assert(
      fc.property(tree, ({ latex, value }) => {
        const found = parse(latex)!.evaluate(point);
        if (Number.isFinite(value)) expect(Math.abs(found - value)).to.be.at.most(1e-9 * Math.max(1, Math.abs(value)));
        else expect(Number.isFinite(found)).to.equal(false);
      }),
    );
  });
});
