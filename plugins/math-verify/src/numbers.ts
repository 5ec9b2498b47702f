import { isDigit, isLetter } from "./tokens.js";

const digitsEnd = (text: string, at: number): number => {
  while (isDigit(text[at])) at++;
  return at;
};

/** End of an unsigned number: digits with thousands commas, decimals; `at` when there is none. */
function unsignedEnd(text: string, at: number): number {
  let end = digitsEnd(text, at);
  if (end > at && end - at <= 3) {
    while (text[end] === "," && digitsEnd(text, end + 1) === end + 4) end += 4;
  }
  if (text[end] === "." && isDigit(text[end + 1])) end = digitsEnd(text, end + 1);
  return end;
}

/** End of the number at `at`: sign, thousands commas, decimals, a/b, percent; `at` when there is none. */
export function numberEnd(text: string, at: number): number {
  const start = isSign(text[at]) ? at + 1 : at;
  let end = unsignedEnd(text, start);
  if (end === start) return at;
  if (text[end] === "/") {
    const denominator = unsignedEnd(text, end + 1);
    if (denominator > end + 1) end = denominator;
  }
  let percent = end;
  while (text[percent] === " " || text[percent] === "\t") percent++;
  if (text[percent] === "\\") percent++;
  return text[percent] === "%" ? percent + 1 : end;
}

/** The last number of a text, or null. A sign right after a digit, a letter or a closing bracket is an operator, not a sign. */
export function lastNumber(text: string): string | null {
  let lastDigit = text.length - 1;
  while (lastDigit >= 0 && !isDigit(text[lastDigit])) lastDigit--;
  let at = lastDigit;
  while (at > 0 && isPart(text[at - 1])) at--;
  let [start, stop] = [0, 0];
  while (at >= 0 && at <= lastDigit) {
    const end = numberEnd(text, at);
    if (end === at || (isSign(text[at]) && isOperand(text[at - 1]))) at++;
    else {
      [start, stop] = [at, end];
      at = end;
    }
  }
  return stop === 0 ? null : text.slice(start, stop);
}

const isPart = (character: string | undefined): boolean =>
  isDigit(character) || isSign(character) || character === "." || character === "," || character === "/";
const isSign = (character: string | undefined): boolean => character === "-" || character === "+" || character === "−";
const isOperand = (character: string | undefined): boolean =>
  isDigit(character) || isLetter(character) || character === ")" || character === "]" || character === "}";
