import { expect } from "chai";
import fc from "fast-check";
import { sameAnswer } from "../src/compare.js";
import { extractAnswer } from "../src/extract.js";
import { grade } from "../src/grade.js";
import { normalize } from "../src/normalize.js";
import { withDefaults } from "./options.js";

const options = withDefaults();
const reward = (prediction: string, gold: string) => grade(`\\boxed{${prediction}}`, [gold], options).reward;

const pieces = [
  ..."0123456789.,+-*/^=<>()[]{}%$ xyzeABC|:!_&\n",
  ..."\\frac \\sqrt \\pi \\left \\right \\text{ \\{ \\} \\\\ \\, \\% \\infty \\begin{pmatrix} \\end{pmatrix} \\theta \\cdot \\le cm 1,234 \\cup".split(
    " ",
  ),
];
const latex = fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((parts) => parts.join(""));
const integer = fc.integer({ min: -1_000_000, max: 1_000_000 });
const decimal = integer.map((millionths) => (millionths / 1e6).toFixed(6));

const number = fc.oneof(
  integer.map(String),
  decimal,
  fc.tuple(integer, fc.integer({ min: 1, max: 999 })).map(([a, b]) => `\\frac{${a}}{${b}}`),
  fc.nat(999).map((n) => `\\sqrt{${n}}`),
  fc.nat(999).map((n) => `${n}\\%`),
  fc.nat(99).map((n) => `${n}\\pi`),
);
const expression = fc
  .tuple(
    number,
    fc.constantFrom("x", "y", "xy", "x^{2}", "\\sqrt{x}", "\\frac{x}{y}", "\\pi x", "\\theta y"),
    fc.constantFrom("+", "-", "*", "/"),
    number,
  )
  .map((parts) => parts.join(" "));
const answer = fc.oneof(
  number,
  expression,
  fc.array(number, { minLength: 2, maxLength: 5 }).map((items) => `(${items.join(" , ")})`),
  fc.array(number, { minLength: 2, maxLength: 5 }).map((items) => `\\{${items.join(" , ")}\\}`),
  fc.tuple(fc.constantFrom("x = ", "y \\ge ", "x < "), number).map((parts) => parts.join("")),
);

describe("math-verify", () => {
  it("rewards any gold, boxed", () => {
    const boxable = latex.filter((gold) => extractAnswer(`\\boxed{${gold}}`, options) === gold && normalize(gold) !== "");
    fc.assert(
      fc.property(boxable, (gold) => {
        expect(reward(gold, gold)).to.equal(1);
      }),
    );
  });

  it("never rewards one of two unequal integers for the other, either way", () => {
    fc.assert(
      fc.property(integer, integer, (a, b) => {
        fc.pre(a !== b);
        expect([reward(String(a), String(b)), reward(String(b), String(a))]).to.deep.equal([0, 0]);
      }),
    );
  });

  it("never rewards one of two unequal decimals of six places for the other, either way", () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        fc.pre(Number(a) !== Number(b));
        expect([reward(a, b), reward(b, a)]).to.deep.equal([0, 0]);
      }),
    );
  });

  it("rewards equal fractions whatever their terms", () => {
    const term = fc.integer({ min: 1, max: 999 });
    fc.assert(
      fc.property(integer, term, term, (a, b, k) => {
        expect(reward(`\\frac{${a * k}}{${b * k}}`, `${a}/${b}`)).to.equal(1);
      }),
    );
  });

  it("ignores whitespace between the signs of an answer", () => {
    const space = fc.constantFrom("", " ", "  ", "\n", "\t ");
    const spaced = fc.tuple(answer, fc.infiniteStream(space)).map(([text, spaces]) => {
      const signs = text.match(/\\[A-Za-z]+|\\.|[\d.]+|\s+|./gs)!;
      return [text, signs.map((sign) => (spaces.next().value ?? "") + sign).join("")] as const;
    });
    fc.assert(
      fc.property(spaced, answer, ([text, withSpaces], gold) => {
        expect(reward(withSpaces, text)).to.equal(1);
        expect(reward(` ${withSpaces}\n`, gold)).to.equal(reward(text, gold));
        expect(reward(gold, withSpaces)).to.equal(reward(gold, text));
      }),
    );
  });

  it("ignores the order of a set and of a bare list", () => {
    const shuffled = fc
      .array(number, { minLength: 2, maxLength: 6 })
      .chain((items) => fc.tuple(fc.constant(items), fc.shuffledSubarray(items, { minLength: items.length })));
    fc.assert(
      fc.property(shuffled, ([items, other]) => {
        expect(reward(`\\{${other.join(" , ")}\\}`, `\\{${items.join(" , ")}\\}`)).to.equal(1);
        expect(reward(other.join(" , "), `\\{${items.join(" , ")}\\}`)).to.equal(1);
      }),
    );
  });

  it("answers the same with prediction and gold exchanged, unless one is an equation", () => {
    const plain = fc.oneof(answer, latex).filter((text) => !text.includes("="));
    fc.assert(
      fc.property(plain, plain, (a, b) => {
        const [x, y] = [normalize(a), normalize(b)];
        expect(sameAnswer(x, y, 6)).to.equal(sameAnswer(y, x, 6));
      }),
    );
  });

  it("gives a score or null for whatever a policy writes, and the same again", () => {
    const text = fc.oneof(
      fc.string(),
      latex,
      latex.map((inner) => `\\boxed{${inner}}`),
    );
    fc.assert(
      fc.property(text, latex, fc.constantFrom("boxed" as const, "flexible" as const), (completion, gold, mode) => {
        const once = grade(completion, [gold], { ...options, mode });
        expect(once.reward).to.be.oneOf([0, 1, null]);
        expect(grade(completion, [gold], { ...options, mode })).to.deep.equal(once);
      }),
    );
  });
});
