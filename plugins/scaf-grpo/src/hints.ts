import { DataError, type Prompt } from "@proximal/core";

export interface Hint {
  level: number;
  text: string;
}

/**
 * Hints of a record, smallest first: level piecesPerTier·j + c shows pieces 1 … c of tier j (cumulative inside a tier).
 * The record's field `hints` maps tier names to lists of pieces; a missing tier or piece skips its levels.
 */
export function hintsOf(prompt: Prompt, tiers: readonly string[], piecesPerTier: number): Hint[] {
  const given = prompt.fields.hints;
  if (given === undefined || given === null) return [];
  if (typeof given !== "object") {
    throw new DataError(`record ${prompt.id}: field "hints" maps tiers to lists of texts`, { given, accepted: tiers });
  }
  return tiers.flatMap((tier, j) => {
    const pieces = (given as Record<string, unknown>)[tier];
    if (!Array.isArray(pieces)) return [];
    return pieces
      .slice(0, piecesPerTier)
      .map((_, c): Hint => ({ level: piecesPerTier * j + c + 1, text: pieces.slice(0, c + 1).join("\n") }));
  });
}
