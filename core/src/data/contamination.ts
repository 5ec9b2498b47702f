import { DataError } from "../errors.js";

/** Words of a run that counts, and the share of a prompt's runs that must be known. Chowdhery et al. 2022 (2204.02311), section 8. */
const RUN_WORDS = 8;
const SHARE = 0.7;
const EXAMPLES = 3;

/** Where a record stands, and its question without template. */
export interface Question {
  text: string;
  place: string;
}

export interface Contamination {
  /** Held-out prompts that were compared. */
  checked: number;
  /** Of them: those whose words are those of a training prompt. */
  exact: number;
  /** Further ones, of whose runs of 8 words at least 70 % stand in training prompts. */
  overlapping: number;
  /** Some of them, held-out place and training place. */
  examples: readonly { held: string; train: string }[];
}

/** Words and operators in lower case; spacing and punctuation do not count. */
const wordsOf = (text: string): string[] =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .match(/[\p{L}\p{N}]+|[-+*/=<>^%×÷−]/gu) ?? [];

const runsOf = (words: readonly string[]): string[] =>
  words.length < RUN_WORDS ? [] : Array.from({ length: words.length - RUN_WORDS + 1 }, (_, i) => words.slice(i, i + RUN_WORDS).join(" "));

/**
 * How many held-out questions also stand in the training data. Memory grows with the held-out questions alone: the training
 * questions are read once, one by one.
 */
export function findContamination(held: Iterable<Question>, train: Iterable<Question>): Contamination {
  const questions: { place: string; runs: number; found: number; match?: { place: string; isExact: boolean } }[] = [];
  const byText = new Map<string, number[]>();
  const byRun = new Map<string, number[]>();
  const note = (index: Map<string, number[]>, key: string, q: number) => {
    const known = index.get(key);
    if (known === undefined) index.set(key, [q]);
    else known.push(q);
  };
  for (const { text, place } of held) {
    const words = wordsOf(text);
    const runs = new Set(runsOf(words));
    note(byText, words.join(" "), questions.length);
    for (const run of runs) note(byRun, run, questions.length);
    questions.push({ place, runs: runs.size, found: 0 });
  }
  for (const { text, place } of train) {
    const words = wordsOf(text);
    for (const q of byText.get(words.join(" ")) ?? []) {
      if (!questions[q]!.match?.isExact) questions[q]!.match = { place, isExact: true };
    }
    for (const run of runsOf(words)) {
      for (const q of byRun.get(run) ?? []) {
        const question = questions[q]!;
        question.found++;
        if (question.found >= SHARE * question.runs) question.match ??= { place, isExact: false };
      }
      byRun.delete(run); // A run counts once, wherever it stands again.
    }
  }
  const matched = questions.filter(({ match }) => match !== undefined);
  const exact = matched.filter(({ match }) => match!.isExact);
  const examples = [...exact, ...matched.filter(({ match }) => !match!.isExact)].slice(0, EXAMPLES);
  return {
    checked: questions.length,
    exact: exact.length,
    overlapping: matched.length - exact.length,
    examples: examples.map(({ place, match }) => ({ held: place, train: match!.place })),
  };
}

/** `7 of 500 held-out prompts stand in the training data (5 word for word, 2 by most of their 8-word runs)`; null when none does. */
export function describeContamination({ checked, exact, overlapping, examples }: Contamination): string | null {
  if (exact + overlapping === 0) return null;
  const kinds = [
    exact > 0 ? `${exact} word for word` : "",
    overlapping > 0 ? `${overlapping} by most of their ${RUN_WORDS}-word runs` : "",
  ];
  const counts = `${exact + overlapping} of ${checked} held-out prompts stand in the training data (${kinds.filter(Boolean).join(", ")})`;
  return `${counts}; e.g. ${examples.map(({ held, train }) => `${held} = ${train}`).join("; ")}`;
}

/** `DataError` when `found` holds a contaminated prompt. */
export function refuseContamination(found: Contamination): void {
  const message = describeContamination(found);
  if (message === null) return;
  throw new DataError(message, {
    path: "data.contamination",
    given: "error",
    hint: "remove them from the training data, or set data.contamination to warn",
  });
}
