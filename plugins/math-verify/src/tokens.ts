/** LaTeX in pieces: a control word (`\frac`), a control symbol (`\{`, `\\`), or one character. Lossless: joining gives the text back. */
export function tokenize(latex: string): string[] {
  const tokens: string[] = [];
  for (let at = 0; at < latex.length; ) {
    let end = at + 1;
    if (latex[at] === "\\" && end < latex.length) {
      while (isLetter(latex[end])) end++;
      if (end === at + 1) end++;
    }
    tokens.push(latex.slice(at, end));
    at = end;
  }
  return tokens;
}

/** The tokens that carry meaning: all but spaces. */
export const tokenizeUnspaced = (latex: string): string[] => tokenize(latex).filter((token) => !isSpace(token));

/** Text of the tokens, with a space wherever a control word would run into the letter after it. */
export function join(tokens: readonly string[]): string {
  let text = "";
  tokens.forEach((token, i) => {
    text += isControlWord(tokens[i - 1]) && isLetter(token[0]) ? ` ${token}` : token;
  });
  return text;
}

const SPACES = new Set(" \t\n\r\v\f\u00a0\u2009\u202f");

export const isLetter = (character: string | undefined): boolean =>
  character !== undefined && character.length === 1 && ((character >= "a" && character <= "z") || (character >= "A" && character <= "Z"));
export const isDigit = (character: string | undefined): boolean =>
  character !== undefined && character.length === 1 && character >= "0" && character <= "9";
export const isControlWord = (token: string | undefined): boolean => token !== undefined && token[0] === "\\" && isLetter(token[1]);
export const isSpace = (character: string | undefined): boolean => character !== undefined && SPACES.has(character);

const OPENING = new Set(["(", "[", "{", "\\{", "\\begin"]);
const CLOSING = new Set([")", "]", "}", "\\}", "\\end"]);

/** Change of nesting depth at a token. Half-open intervals are brackets too, so kinds need not agree. */
export const nesting = (token: string): number => (OPENING.has(token) ? 1 : CLOSING.has(token) ? -1 : 0);

/** Indices of the tokens outside all brackets and environments for which `accept` holds. */
export function topLevel(tokens: readonly string[], accept: (token: string) => boolean): number[] {
  const found: number[] = [];
  let depth = 0;
  tokens.forEach((token, i) => {
    if (depth === 0 && accept(token)) found.push(i);
    depth += nesting(token);
  });
  return found;
}

/** Pieces between the tokens at the given ascending indices. */
export function cut(tokens: readonly string[], at: readonly number[]): string[][] {
  return [...at, tokens.length].map((end, i) => tokens.slice(i === 0 ? 0 : at[i - 1]! + 1, end));
}
