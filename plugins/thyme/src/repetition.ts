/**
 * Whether the occurrences of one substring of `size` characters, overlaps counted once, cover more than `share` of the text.
 * Thyme (2508.11630), the guard against loops.
 */
export function isRepetitive(text: string, size: number, share: number): boolean {
  const covered = new Map<string, { count: number; end: number }>();
  for (let at = 0; at + size <= text.length; at++) {
    const part = text.slice(at, at + size);
    const known = covered.get(part) ?? { count: 0, end: 0 };
    const count = known.count + size - Math.max(0, known.end - at);
    // A single occurrence is no repetition, however short the text.
    if (known.count > 0 && count > share * text.length) return true;
    covered.set(part, { count, end: at + size });
  }
  return false;
}
