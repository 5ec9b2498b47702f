const SPANS = /\$\$([\s\S]+?)\$\$|\$([^$]+)\$|\\\(([\s\S]+?)\\\)|\\\[([\s\S]+?)\\\]/g;

/** Mathematical expressions of a text: what stands between $…$, $$…$$, \(…\) or \[…\], without spaces. */
export const formulasOf = (text: string): string[] =>
  Array.from(text.matchAll(SPANS), ([, display, inline, round, square]) =>
    (display ?? inline ?? round ?? square ?? "").replace(/\s+/g, ""),
  ).filter((formula) => formula !== "");
