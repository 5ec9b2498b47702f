import { isControlWord, isDigit, isLetter, isSpace, join, tokenize, tokenizeUnspaced } from "./tokens.js";

/** Longer answers are compared as text without spaces, unparsed: the time a completion can cost stays bounded. */
const MAX_ANSWER_LENGTH = 2000;
export const isParsed = (answer: string): boolean => answer.length <= MAX_ANSWER_LENGTH;

/** Rule 3: the canonical form of an answer. Equal up to spelling means equal as strings; "" when nothing is left. */
export function normalize(answer: string): string {
  const compact = answer.replace(/\s+/g, " ");
  if (!isParsed(compact)) return compact.replaceAll(" ", "");
  let text = join(tokenize(compact).flatMap(respell)).trim();
  if (text.endsWith(".")) text = text.slice(0, -1).trimEnd();
  text = dropThousandsCommas(text).replace(DEGREES, "").replace(TEXT_UNIT, "");
  text = join(unwrapText(tokenize(text)))
    .trim()
    .replace(TRAILING_UNIT, "");
  return join(braceArguments(tokenizeUnspaced(text)))
    .replaceAll("<=", "≤")
    .replaceAll(">=", "≥");
}

const SPELLING: ReadonlyMap<string, string> = new Map([
  ...["$", "\\$", "\\!", "\\,", "\\;", "\\left", "\\right"].map((token) => [token, ""] as const),
  ...["\\dfrac", "\\tfrac"].map((token) => [token, "\\frac"] as const),
  ...["\\ge", "\\geq", "\\geqslant"].map((token) => [token, "≥"] as const),
  ...["\\le", "\\leq", "\\leqslant"].map((token) => [token, "≤"] as const),
  ...["\\ne", "\\neq"].map((token) => [token, "≠"] as const),
  ...["\\cdot", "\\times", "·", "×"].map((token) => [token, "*"] as const),
  ...["\\div", "÷"].map((token) => [token, "/"] as const),
  ["\\lt", "<"],
  ["\\gt", ">"],
  ["\\%", "%"],
  ["−", "-"],
  ["π", "\\pi"],
]);

/** The canonical spelling of a token: none for currency, thin spaces, `\left` and `\right` with their null delimiter. */
function respell(token: string, i: number, tokens: readonly string[]): string[] {
  const before = tokens[i - 1];
  if (token === "." && (before === "\\left" || before === "\\right")) return [];
  if (token[0] === "\\" && isSpace(token[1])) return [];
  const spelling = SPELLING.get(token) ?? token;
  return spelling === "" ? [] : [spelling];
}

/** A comma between 1–3 digits and exactly 3 digits, repeated; not after a decimal point, where a list goes on. */
const THOUSANDS = /(?<![\d.])\d{1,3}(?:,\d{3})+(?!\d)/g;

/** "12,345" is one number; inside round, square or set brackets a comma always separates. */
function dropThousandsCommas(text: string): string {
  const plain = text.replace(/\{\s*,\s*\}/g, "");
  const hasBrackets = /[()[\]]|\\[{}]/.test(plain) || (plain.startsWith("{") && plain.endsWith("}"));
  return hasBrackets ? plain : plain.replace(THOUSANDS, (number) => number.replaceAll(",", ""));
}

const DEGREES = /\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![A-Za-z]))|\\degree(?![A-Za-z])|°/g;

const UNIT = "(?:cm|mm|km|m|kg|g|mph|dollars?|cents|degrees|hours?|minutes?|inches|feet|meters|metres|units|students|apples)";
const POWER = "(?:\\s*\\^\\s*(?:\\{\\s*-?\\d+\\s*\\}|\\d))?";
const TEXT_UNIT = new RegExp(`\\\\text\\s*\\{\\s*${UNIT}${POWER}\\s*\\}${POWER}`, "g");
const TRAILING_UNIT = new RegExp(`(?<=\\d)\\s*${UNIT}${POWER}$`);

const TEXT_WRAPPERS = new Set(["\\text", "\\mathrm", "\\mbox", "\\textbf"]);

/** Drops `\text{` … `}` and its like around their content. */
function unwrapText(tokens: readonly string[]): string[] {
  const wraps: boolean[] = [];
  let wrapperBefore = false;
  return tokens.filter((token, i) => {
    if (TEXT_WRAPPERS.has(token)) {
      wrapperBefore = nextToken(tokens, i + 1) === "{";
      return !wrapperBefore;
    }
    if (token === "{") {
      wraps.push(wrapperBefore);
      const keep = !wrapperBefore;
      wrapperBefore = false;
      return keep;
    }
    return token !== "}" || wraps.pop() !== true;
  });
}

/** Braces around single-token arguments: `\frac12` → `\frac{1}{2}`, `\sqrt3` → `\sqrt{3}`. */
function braceArguments(tokens: readonly string[]): string[] {
  const result: string[] = [];
  const expectedAfterGroup: number[] = [];
  let expected = 0;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i]!;
    if (token === "\\frac" || token === "\\sqrt") {
      result.push(token);
      expected = Math.max(expected - 1, 0) + (token === "\\frac" ? 2 : 1);
      const indexEnd = token === "\\sqrt" && tokens[i + 1] === "[" ? tokens.indexOf("]", i) : -1;
      while (i < indexEnd) result.push(tokens[++i]!);
    } else if (token === "{") {
      result.push(token);
      expectedAfterGroup.push(Math.max(expected - 1, 0));
      expected = 0;
    } else if (token === "}") {
      result.push(token);
      expected = expectedAfterGroup.pop() ?? 0;
    } else if (expected > 0 && (isLetter(token) || isDigit(token) || isControlWord(token))) {
      result.push("{", token, "}");
      expected--;
    } else {
      result.push(token);
      expected = 0;
    }
  }
  return result;
}

function nextToken(tokens: readonly string[], at: number): string | undefined {
  while (isSpace(tokens[at])) at++;
  return tokens[at];
}
