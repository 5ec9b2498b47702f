const countOf = (text: string, part: string): number => text.split(part).length - 1;

/** Start and end of the text's only <tag>…</tag>; null unless there is exactly one opening and one closing tag, in that order. */
function onlySpan(text: string, tag: string): readonly [number, number] | null {
  const [open, close] = [`<${tag}>`, `</${tag}>`];
  if (countOf(text, open) !== 1 || countOf(text, close) !== 1) return null;
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  return start < end ? [start, end + close.length] : null;
}

/** For each tag: does the text hold exactly one well-formed span of it that overlaps none of the other tags' spans? */
export function hasSpans(text: string, ...tags: string[]): boolean[] {
  const spans = tags.map((tag) => onlySpan(text, tag));
  return spans.map(
    (span, i) => span !== null && spans.every((other, j) => j === i || other === null || other[1] <= span[0] || span[1] <= other[0]),
  );
}
