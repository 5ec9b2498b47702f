import { lastNumber, numberEnd } from "./numbers.js";
import type { MathVerifyOptions } from "./options.js";
import { isDigit, isSpace } from "./tokens.js";

/** Rules 1 and 2: the text of a completion's final answer, or null when there is none. Linear in the length of the text. */
export function extractAnswer(completion: string, options: Pick<MathVerifyOptions, "mode" | "requireThinkEnd">): string | null {
  const text = options.requireThinkEnd ? afterThinking(completion) : completion;
  if (text === null) return null;
  const boxed = lastBox(text);
  if (boxed !== null || options.mode === "boxed") return boxed;
  return lastHashAnswer(text) ?? lastStatedAnswer(text) ?? lastNumber(text);
}

function afterThinking(completion: string): string | null {
  const end = "</think>";
  const at = completion.lastIndexOf(end);
  return at < 0 ? null : completion.slice(at + end.length);
}

/** Content of the last `\boxed{…}` or `\fbox{…}` with balanced braces. Escaped braces (`\{`) do not count. */
function lastBox(text: string): string | null {
  const open: number[] = [];
  let start = -1;
  let end = -1;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === "\\") i++;
    else if (character === "{") open.push(i);
    else if (character === "}") {
      const from = open.pop();
      if (from !== undefined && from > start && opensBox(text, from)) {
        start = from;
        end = i;
      }
    }
  }
  return start < 0 ? null : text.slice(start + 1, end);
}

function opensBox(text: string, brace: number): boolean {
  let end = brace;
  while (isSpace(text[end - 1])) end--;
  return text.endsWith("\\boxed", end) || text.endsWith("\\fbox", end);
}

const skipSpace = (text: string, at: number): number => {
  while (isSpace(text[at])) at++;
  return at;
};

/** GSM8K's marker: the last `#### number`. */
const lastHashAnswer = (text: string): string | null => lastAfter(text, /####(?!#)/g, (at) => numberAt(text, at));

/** The last "answer" (optional "is", optional colon) that is followed by `$…$` or a number. */
const lastStatedAnswer = (text: string): string | null =>
  lastAfter(text, /answer/gi, (end) => {
    let at = skipSpace(text, end);
    if (/^is$/i.test(text.slice(at, at + 2))) at = skipSpace(text, at + 2);
    if (text[at] === ":") at++;
    return formulaAt(text, at) ?? numberAt(text, at);
  });

/** What `read` finds after the last marker that it finds anything after. */
function lastAfter(text: string, marker: RegExp, read: (at: number) => string | null): string | null {
  const ends = Array.from(text.matchAll(marker), (match) => match.index + match[0].length);
  for (const end of ends.reverse()) {
    const answer = read(end);
    if (answer !== null) return answer;
  }
  return null;
}

/** A number after optional spaces and a currency sign. */
function numberAt(text: string, at: number): string | null {
  let start = skipSpace(text, at);
  if (text.startsWith("\\$", start)) start += 2;
  else if (text[start] === "$") start++;
  start = skipSpace(text, start);
  const end = numberEnd(text, start);
  return end === start ? null : text.slice(start, end);
}

/** Content of `$…$` or `$$…$$` after optional spaces. "$18 and not $20" holds prices, no formula. */
function formulaAt(text: string, at: number): string | null {
  const start = skipSpace(text, at);
  if (text[start] !== "$") return null;
  const delimiter = text[start + 1] === "$" ? "$$" : "$";
  const end = text.indexOf(delimiter, start + delimiter.length);
  if (end < 0) return null;
  const content = text.slice(start + delimiter.length, end);
  const pricesFollow = isDigit(text[end + delimiter.length]);
  const isPriceInProse = /^\d[^\\]*\s[A-Za-z]{2}/.test(content);
  return content.trim() === "" || pricesFollow || isPriceInProse ? null : content;
}
