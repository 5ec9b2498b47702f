import { expect } from "chai";
import { grade } from "../src/grade.js";
import { withDefaults } from "./options.js";

const LENGTH = 10_000;
const fill = (piece: string) => piece.repeat(Math.ceil(LENGTH / piece.length)).slice(0, LENGTH);
const boxed = (piece: string) => `\\boxed{${fill(piece).slice(8)}}`;

/** Milliseconds; a hundred times what it takes. Quadratic work on such a text takes longer. */
const LIMIT = 100;
const PATIENCE = 2000;

/** Shortest of many runs, ms: what the work costs when nothing else disturbs it. Stops at the first run below the limit. */
function shortest(run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (const begin = performance.now(); best >= LIMIT && performance.now() - begin < PATIENCE; ) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

describe("a text of 10,000 characters is graded in time that grows with its length only", () => {
  const texts: [name: string, text: string][] = [
    ["a solution with its box", `${fill("Then 3 + 4 = 7, times 12 makes $84$. ")} \\boxed{84}`],
    ["a solution without a box", fill("Then 3 + 4 = 7, times 12 makes 84. ")],
    ["boxes that never close", fill("\\boxed{")],
    ["boxes in boxes", `${"\\boxed{".repeat(1249)}5${"}".repeat(1249)}`],
    ["open braces", fill("{")],
    ["spaces before a brace", `\\boxed${fill(" ")}{5}`],
    ["markers without a number", fill("#### ")],
    ["hash signs", fill("#")],
    ["statements without an answer", fill("answer $ ")],
    ["one long number", fill("1")],
    ["thousands", fill("1,234,")],
    ["a list of digits", fill("1,")],
    ["signs", fill("-")],
    ["a box of brackets", boxed("(")],
    ["a box of a sum", boxed("x+1+")],
    ["a box of fractions", boxed("\\frac")],
    ["a box of a list", boxed("1,")],
    ["a box of text", boxed("\\text{ cm")],
    ["a box of spaces", boxed("5       ")],
  ];
  for (const [name, text] of texts) {
    it(name, () => expect(shortest(() => grade(text, ["x^2+1", "\\{1,2\\}"], withDefaults({ mode: "flexible" })))).to.be.below(LIMIT));
  }
});
