/** 1 = format and answer right, 2 = answer wrong, 3 = no complete answer to parse, 4 = format wrong. Lower is better. */
export type PreferenceLevel = 1 | 2 | 3 | 4;

export interface Verdict {
  format: boolean;
  /** A complete answer could be parsed. */
  parsed: boolean;
  correct: boolean;
}

/** Preference level by rules, tested from the coarsest fault to the finest. TRPA (2504.04524). */
export function preferenceLevel({ format, parsed, correct }: Verdict): PreferenceLevel {
  if (!format) return 4;
  if (!parsed) return 3;
  return correct ? 1 : 2;
}
