/** One difference: where it is, what was expected, what came. */
export interface Difference {
  path: string;
  expected: unknown;
  actual: unknown;
}

const asNumber = (value: unknown): number | undefined =>
  typeof value === "number" ? value : typeof value === "boolean" ? Number(value) : undefined;

/**
 * The first difference between a result and what a case expects, or null. Recursive over the keys of `expected` only;
 * numbers agree within `tolerance`·max(1, |expected|), true is 1, false is 0; NaN and infinities never match.
 */
export function compare(expected: unknown, actual: unknown, tolerance: number, path = ""): Difference | null {
  const different: Difference = { path, expected, actual };
  if (expected === null || typeof expected === "string") return expected === actual ? null : different;
  const wanted = asNumber(expected);
  if (wanted !== undefined) {
    const given = asNumber(actual);
    if (given === undefined || !Number.isFinite(given) || !Number.isFinite(wanted)) return different;
    return Math.abs(given - wanted) <= tolerance * Math.max(1, Math.abs(wanted)) ? null : different;
  }
  if (Array.isArray(expected)) {
    if (!(Array.isArray(actual) || ArrayBuffer.isView(actual)) || (actual as ArrayLike<unknown>).length !== expected.length)
      return different;
    for (let i = 0; i < expected.length; i++) {
      const found = compare(expected[i], (actual as ArrayLike<unknown>)[i], tolerance, `${path}[${i}]`);
      if (found !== null) return found;
    }
    return null;
  }
  if (typeof actual !== "object" || actual === null) return different;
  for (const [key, value] of Object.entries(expected as object)) {
    if (!Object.hasOwn(actual, key)) return { path: path ? `${path}.${key}` : key, expected: value, actual: undefined };
    const found = compare(value, (actual as Record<string, unknown>)[key], tolerance, path ? `${path}.${key}` : key);
    if (found !== null) return found;
  }
  return null;
}
