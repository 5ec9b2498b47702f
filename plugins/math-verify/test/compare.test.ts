import { expect } from "chai";
import { grade } from "../src/grade.js";
import { withDefaults } from "./options.js";

type Row = [promise: string, prediction: string, gold: string, reward: 0 | 1];

const promises = (title: string, table: readonly Row[], options = withDefaults()) =>
  describe(title, () => {
    for (const [promise, prediction, gold, reward] of table) {
      it(`${promise}: ${prediction} against ${gold}`, () =>
        expect(grade(`\\boxed{${prediction}}`, [gold], options).reward).to.equal(reward));
    }
  });

promises("matrices", [
  [
    "are equal cell by cell",
    "\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}",
    "\\begin{bmatrix}1&\\frac{4}{2}\\\\3&4\\\\\\end{bmatrix}",
    1,
  ],
  ["may be arrays in brackets", "\\left(\\begin{array}{cc}1&2\\\\3&4\\end{array}\\right)", "\\begin{pmatrix}1&2\\\\3&4.0\\end{pmatrix}", 1],
  ["differ in one cell", "\\begin{pmatrix}1&2\\end{pmatrix}", "\\begin{pmatrix}1&3\\end{pmatrix}", 0],
  ["differ in shape", "\\begin{pmatrix}1&2\\end{pmatrix}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}", 0],
  ["are no determinants", "\\begin{vmatrix}1.0&2\\end{vmatrix}", "\\begin{pmatrix}1&2\\end{pmatrix}", 0],
  ["are no tuples", "(1,2)", "\\begin{pmatrix}1&2\\end{pmatrix}", 0],
  ["may be assigned", "A = \\begin{pmatrix}2/2&2\\end{pmatrix}", "\\begin{pmatrix}1&2\\end{pmatrix}", 1],
]);

promises("relations", [
  ["use the right side against a plain gold", "x = 5", "5", 1],
  ["use the last right side of a chain", "x = 2 + 3 = 5", "5", 1],
  ["use an expression's right side", "2 + 3 = 5", "5", 1],
  ["use a list on the right side", "x = 1, 2", "2, 1", 1],
  ["use a tuple on the right side", "(x, y) = (1, 2)", "(1,2)", 1],
  ["do not take the last of several equations", "x=1, x=2", "2", 0],
  ["use the gold's right side after one letter", "5", "x=5", 1],
  ["use the gold's right side after a Greek letter", "\\frac{\\pi}{2}", "\\theta = \\pi/2", 1],
  ["do not solve the gold", "5", "2x=10", 0],
  ["need the same variable", "y=5", "x=5", 0],
  ["need equal sides", "y = 2x + 1", "y = 1 + 2x", 1],
  ["read the same from right to left when they are equations", "5 = x", "x = 5", 1],
  ["are flipped", "x > 5", "5 < x", 1],
  ["are flipped when they include the bound", "x \\geq 5", "5 \\le x", 1],
  ["are flipped as chains", "1 > x \\ge 0", "0 \\leq x < 1", 1],
  ["differ in direction", "x > 5", "x < 5", 0],
  ["differ in kind", "x > 5", "x \\ge 5", 0],
  ["other than equations never equal a plain answer", "x < 5", "5", 0],
  ["other than equations never equal a plain prediction", "5", "x \\le 5", 0],
]);

promises("sequences", [
  ["in set brackets are unordered", "\\{3,1,2\\}", "\\{1,2,3\\}", 1],
  ["without brackets are unordered", "2, 1", "1,2", 1],
  ["without brackets equal sets", "2, 1", "\\{1,2\\}", 1],
  ["in bare braces are sets", "{2,1}", "\\{1,2\\}", 1],
  ["are multisets", "\\{1,1,2\\}", "\\{1,2,2\\}", 0],
  ["pair off by value", "\\frac12, 0.25", "1/4, 0.5", 1],
  ["pair off even where the first match is not the right one", "1/3, 0.333333", "0.333333, 333333/1000000", 1],
  ["in round brackets are ordered", "(2,1)", "(1,2)", 0],
  ["in round brackets compare items by value", "(0.5, \\sqrt{4})", "(\\frac12,2)", 1],
  ["agree in bracket kinds", "[1,2]", "(1,2)", 0],
  ["in round brackets are no lists", "(1,2)", "1,2", 0],
  ["in half-open brackets are intervals", "[0, 0.5)", "[0,\\frac12)", 1],
  ["differ at an open end", "(0,1]", "(0,1)", 0],
  ["keep items that have no value", "(-\\infty, 0.5)", "(-\\infty,\\frac{1}{2})", 1],
  ["of different length differ", "1,2", "1,2,3", 0],
  ["of several items are no scalar", "5,5", "5", 0],
  ["of one item are that item", "(5)", "5", 1],
  ["of one item in set brackets are that item", "\\{5\\}", "[5]", 1],
  ["inside further brackets are themselves", "((1,2))", "(1,2.0)", 1],
  ["separate thousands in brackets", "(1,234)", "(1, 234)", 1],
  ["do not absorb thousands", "12,345", "(12, 345)", 0],
]);

promises("numbers", [
  ["are equal as fraction and decimal", "0.75", "\\frac{3}{4}", 1],
  ["are rounded when one is a decimal", "0.333333", "1/3", 1],
  ["are not rounded further", "0.33333", "1/3", 0],
  ["round ties to even", "0.007812", "1/128", 1],
  ["do not round ties away from zero", "0.007813", "1/128", 0],
  ["are exact when neither is a decimal", "333333/1000000", "1/3", 0],
  ["in percent are hundredths", "50\\%", "\\frac12", 1],
  ["in percent are not whole numbers", "50\\%", "50", 0],
  ["may have roots", "\\sqrt{8}", "2\\sqrt2", 1],
  ["may have roots with an index", "\\sqrt[3]{-8}", "-2", 1],
  ["may have pi", "3\\pi/2", "\\frac{3\\pi}{2}", 1],
  ["may have e", "e^{2}/e", "2.718282", 1],
  ["may have powers", "3 \\times 10^{4}", "30,000", 1],
  ["may have powers without braces", "2^10", "1024", 1],
  ["without a value equal nothing else", "\\frac{1}{0}", "\\frac{2}{0}", 0],
  ["too large for a double equal nothing else", "10^{400}", "10^{401}", 0],
  ["with two points are none", "1.2.3", "1.23", 0],
]);

promises(
  "numbers rounded to two decimals",
  [
    ["are coarser", "0.33", "1/3", 1],
    ["round ties to even", "0.12", "1/8", 1],
    ["round the binary value, not its decimal spelling", "1.00", "1.005", 1],
  ],
  withDefaults({ decimals: 2 }),
);

promises("expressions", [
  ["are equal when they agree", "x^2 - 1", "(x-1)(x+1)", 1],
  ["differ when they disagree", "x^2 + 1", "(x-1)(x+1)", 0],
  ["need the same variables", "x", "y", 0],
  ["need variables that cancel, too", "5 + x - x", "5", 0],
  ["multiply letters", "xy", "y \\cdot x", 1],
  ["multiply Greek letters", "2\\theta", "\\theta \\times 2", 1],
  ["keep letters apart from commands", "\\pi r^2 h", "r^2 \\pi h", 1],
  ["associate products to the left", "1/2x", "\\frac{x}{2}", 1],
  ["negate powers", "-x^2", "-(x)(x)", 1],
  ["with decimals agree", "0.5x", "\\frac{x}{2}", 1],
  ["are told apart at negative points", "\\sqrt{x^2}", "x", 0],
  ["are told apart where only one variable is negative", "\\sqrt{x^2y^2z^2}", "xyz", 0],
  ["are not told apart where one has no value", "\\sqrt{x}\\sqrt{x}", "x", 1],
  ["may lack values on part of the range", "\\frac{\\sqrt{x-1}}{1}", "\\sqrt{x-1}", 1],
  ["without any value equal nothing else", "\\sqrt{-x}", "\\sqrt{-1x}", 0],
  ["with unknown functions equal only themselves", "\\sin(x)", "\\sin x", 0],
]);

promises("words", [
  ["are equal as text", "\\text{Yes}", "Yes", 1],
  ["are equal whatever the spaces", "\\text{no solution}", "nosolution", 1],
  ["in brackets name a choice", "\\textbf{(B)}", "B", 1],
  ["differ", "\\text{even}", "\\text{odd}", 0],
]);

describe("grade", () => {
  it("accepts any of several golds", () => expect(grade("\\boxed{5}", ["4", "x=5"], withDefaults()).reward).to.equal(1));
  it("skips a row whose gold is empty", () => expect(grade("\\boxed{5}", ["$ $"], withDefaults()).reward).to.equal(null));
  it("skips a row without golds", () => expect(grade("\\boxed{5}", [], withDefaults()).reward).to.equal(null));
  it("ignores an empty gold beside a good one", () => expect(grade("\\boxed{5}", ["", "5"], withDefaults()).reward).to.equal(1));
  it("scores unparseable golds as told", () => expect(grade("no box", [""], withDefaults({ unparseableGold: 0.5 })).reward).to.equal(0.5));
  it("gives the scores of its options", () => {
    const options = withDefaults({ correct: 2, wrong: -1 });
    expect(["\\boxed{5}", "\\boxed{6}", "\\boxed{}", "5"].map((text) => grade(text, ["5"], options).reward)).to.deep.equal([2, -1, -1, -1]);
  });
});
