import { type Experience, linesOf, type Operation } from "./library.js";

/** One rollout as the editor sees it; rewards and answers only with ground truth. */
export interface Account {
  question: string;
  response: string;
  reward: number | null;
  golds: readonly string[];
}

const OPERATIONS = 'a JSON list of objects {"operation": "ADD" | "UPDATE" | "DELETE" | "KEEP", "id": "G<n>", "content": "…"}';
const library = (experiences: readonly Experience[]) => (experiences.length === 0 ? "(empty)" : linesOf(experiences));

/** Call 1: what a rollout did, step by step. */
export const summaryPrompt = ({ question, response, reward, golds }: Account): string =>
  [
    "Summarise this attempt step by step: what was done, which experience was used, where it went wrong or right.",
    `Question: ${question}`,
    `Attempt: ${response}`,
    ...(reward === null ? [] : [`Answer: ${golds.join(" | ")}`, `Verdict: ${reward > 0 ? "right" : "wrong"} (${reward})`]),
    "",
  ].join("\n");

/** Call 2: which of the attempts are better and why, as general rules in a marked block. */
export const advantagePrompt = (
  question: string,
  summaries: readonly string[],
  rewards: readonly (number | null)[],
  rules: number,
): string =>
  [
    `Compare these attempts at one question. Say which are better and why, then write at most ${rules} general rules, without details of this question, between <experiences> and </experiences>.`,
    `Question: ${question}`,
    ...summaries.map((summary, i) => `Attempt ${i + 1}${rewards[i] === null ? "" : ` (reward ${rewards[i]})`}: ${summary}`),
    "",
  ].join("\n");

/** Call 3: what the rules of one group change in the library. */
export const groupUpdatePrompt = (experiences: readonly Experience[], rules: string): string =>
  [
    `Rules so far:\n${library(experiences)}`,
    `New rules:\n${rules}`,
    `Give ${OPERATIONS} that brings the new rules into the old ones.`,
    "",
  ].join("\n");

/** Call 4: one plan out of all groups' operations, grouped by id. */
export function batchUpdatePrompt(experiences: readonly Experience[], proposals: readonly Operation[]): string {
  const byId = new Map<string, Operation[]>();
  for (const proposal of proposals) byId.set(proposal.id ?? "new", [...(byId.get(proposal.id ?? "new") ?? []), proposal]);
  const shown = [...byId].map(([id, list]) => `${id}: ${JSON.stringify(list)}`).join("\n");
  return [
    `Rules so far:\n${library(experiences)}`,
    `Proposed operations:\n${shown}`,
    `Merge them into ${OPERATIONS} without duplicates.`,
    "",
  ].join("\n");
}
