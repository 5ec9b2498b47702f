import { roundHalfEven } from "@proximal/core";

export interface EtconWeights {
  formatWeight: number;
  correctnessWeight: number;
  cleanlinessWeight: number;
  consistencyWeight: number;
  semanticThreshold: number;
}

export interface EtconGrade {
  reward: number;
  formatScore: number;
  correctness: number;
  cleanliness: number;
  consistency: number;
}

const OPEN = "<answer>";
const CLOSE = "</answer>";
const BOX = "\\boxed{";

const countOf = (text: string, part: string): number => text.split(part).length - 1;

/** Lower case, without . , ! ? quotes and backticks, whitespace squeezed. */
export const normalizeAnswer = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[.,!?'"`]/g, "")
    .replace(/\s+/g, " ")
    .trim();

/** 1 for one box inside one pair of answer tags; deductions of 0.5 for the tags, 0.5 for the box, 0.1 for a double backslash. */
export function formatScore(text: string): number {
  let score = 1;
  if (countOf(text, OPEN) !== 1 || countOf(text, CLOSE) !== 1) score -= 0.5;
  const box = text.indexOf(BOX);
  if (countOf(text, BOX) !== 1) score -= 0.5;
  else {
    const [first, last, end] = [text.indexOf(OPEN), text.lastIndexOf(CLOSE), text.indexOf("}", box)];
    const isInside = first >= 0 && first < box && end >= 0 && last > end;
    if (!isInside) score -= 0.5;
  }
  if (text.includes("\\\\boxed")) score -= 0.1;
  return Math.max(0, score);
}

/** Content of the first non-empty box, up to its first closing brace; null when there is none. */
export const boxedText = (text: string): string | null => /\\boxed\{([^}]+)\}/.exec(text)?.[1] ?? null;

const NEGATIONS = ["no", "not"];
const wordSet = (text: string): Set<string> => new Set(text.split(" ").filter((word) => word !== ""));

/** 1 equal, 0.75 all words of the gold answer without a new negation, 0.4–0.6 by similarity, else 0. Normalised texts. */
function matchOf(predicted: string, gold: string, similarity: number | null, threshold: number): number {
  if (predicted === gold) return 1;
  const [have, want] = [wordSet(predicted), wordSet(gold)];
  const negated = NEGATIONS.some((word) => have.has(word) && !want.has(word));
  if (want.size > 0 && [...want].every((word) => have.has(word)) && !negated) return 0.75;
  if (similarity === null || similarity < threshold) return 0;
  return roundHalfEven(0.4 + ((similarity - threshold) / (1 - threshold)) * 0.2, 2);
}

/** Best match of the boxed answer with an accepted one; 0 without a box. */
export function correctness(text: string, golds: readonly string[], similarity: number | null, threshold: number): number {
  const boxed = boxedText(text);
  if (boxed === null) return 0;
  return golds.reduce((best, gold) => Math.max(best, matchOf(normalizeAnswer(boxed), normalizeAnswer(gold), similarity, threshold)), 0);
}

/** 1 without further answers, text behind the answer, or more than 2000 characters. */
export function cleanliness(text: string): number {
  let score = 1;
  const answers = countOf(text, OPEN);
  if (answers > 1) score -= Math.min(0.8, 0.2 * (answers - 1));
  const end = text.indexOf(CLOSE);
  if (answers === 1 && end >= 0 && text.slice(end + CLOSE.length).trim() !== "") score -= 0.6;
  if (text.length > 2000) score -= 0.4;
  return Math.max(0, score);
}

const SECTION = /Re-evaluate Knowledge Network[\s\S]*?(?:Synthesize|Formulate|<answer>)/i;
const BEFORE = /(?:[\p{L}\p{N}_]+\s+){0,15}$/u;
const AFTER = /^(?:\s+[\p{L}\p{N}_]+){0,15}/u;
const REFUTES = ["incorrect", "invalid", "superseded", "no longer", "outdated"];
const AFFIRMS = ["correct", "valid", "remains"];

/**
 * Does the section that re-evaluates the old fact call it outdated: 1 yes, 0 it affirms it or the section is missing, 0.5
 * neither. Markers are looked for in the fact's first occurrence and up to 15 words around it. 1 when there is no old fact.
 */
export function consistency(text: string, oldKnowledge: string | null): number {
  if (oldKnowledge === null || oldKnowledge === "") return 1;
  const found = SECTION.exec(text)?.[0];
  if (found === undefined) return 0;
  const [section, fact] = [normalizeAnswer(found), normalizeAnswer(oldKnowledge)];
  const at = section.indexOf(fact);
  if (at < 0) return 0.5;
  const [before, after] = [BEFORE.exec(section.slice(0, at))![0], AFTER.exec(section.slice(at + fact.length))![0]];
  const window = before + fact + after;
  // "valid" is part of "invalid": what refutes is tested first.
  if (REFUTES.some((marker) => window.includes(marker))) return 1;
  return AFFIRMS.some((marker) => window.includes(marker)) ? 0 : 0.5;
}

/**
 * R = w_f·format + w_c·correctness + w_l·cleanliness + w_k·consistency, four decimals; 0 where the format is 0; all 0 for a
 * blank text. `similarity` of the boxed with the gold answer, null = not available. EtCon (2512.04753), official code.
 */
export function grade(
  text: string,
  golds: readonly string[],
  oldKnowledge: string | null,
  similarity: number | null,
  o: EtconWeights,
): EtconGrade {
  if (text.trim() === "") return { reward: 0, formatScore: 0, correctness: 0, cleanliness: 0, consistency: 0 };
  const format = formatScore(text);
  const parts = {
    formatScore: format,
    correctness: format === 0 ? 0 : correctness(text, golds, similarity, o.semanticThreshold),
    cleanliness: cleanliness(text),
    consistency: consistency(text, oldKnowledge),
  };
  const total =
    o.formatWeight * format +
    o.correctnessWeight * parts.correctness +
    o.cleanlinessWeight * parts.cleanliness +
    o.consistencyWeight * parts.consistency;
  return { reward: format === 0 ? 0 : roundHalfEven(total, 4), ...parts };
}
