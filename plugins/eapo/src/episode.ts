/** Columns of the rounds of an episode; a round's own place is the column `turn`, from 0. */
export const EPISODE_COLUMNS = {
  /** Rounds of the episode that the row belongs to. */
  rounds: { name: "rounds", at: "row", dtype: "i32" },
  /** 0 = the episode was stopped at the last allowed round without an answer. */
  finished: { name: "finished", at: "row", dtype: "bool" },
} as const;

export interface RoundFormat {
  reportStart: string;
  reportEnd: string;
  roundTemplate: string;
}

/** What a round hands on: its report and what follows it; null when it wrote no complete report, hence ended the episode. */
export function handedOn(text: string, { reportStart, reportEnd }: RoundFormat): { report: string; action: string } | null {
  const start = text.indexOf(reportStart);
  const end = start < 0 ? -1 : text.indexOf(reportEnd, start + reportStart.length);
  if (end < 0) return null;
  return { report: text.slice(start + reportStart.length, end).trim(), action: text.slice(end + reportEnd.length).trim() };
}

/** The whole state of the next round: question, report, last action. Everything else is forgotten. */
export function roundPrompt(
  question: string,
  { report, action }: { report: string; action: string },
  { roundTemplate }: RoundFormat,
): string {
  const values: Readonly<Record<string, string>> = { question, report, action };
  return roundTemplate.replace(/\{(question|report|action)\}/g, (_, name: string) => values[name]!);
}
