const THINK_END = "</think>";

/** Text after the first `</think>`, or the whole text. */
export function finalText(completion: string): string {
  const end = completion.indexOf(THINK_END);
  return end < 0 ? completion : completion.slice(end + THINK_END.length);
}

/** Content of the last complete `\boxed{…}`, braces balanced; with `requireDigit` the last one that holds a digit. Null if none. */
export function boxedAnswer(text: string, requireDigit: boolean): string | null {
  let found: string | null = null;
  for (let at = text.indexOf("\\boxed{"); at >= 0; at = text.indexOf("\\boxed{", at + 1)) {
    const start = at + "\\boxed{".length;
    let depth = 1;
    let end = start;
    for (; end < text.length && depth > 0; end++) depth += text[end] === "{" ? 1 : text[end] === "}" ? -1 : 0;
    if (depth > 0) break;
    const content = text.slice(start, end - 1).trim();
    if (!requireDigit || /\d/.test(content)) found = content;
  }
  return found;
}
