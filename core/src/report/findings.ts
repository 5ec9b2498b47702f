import type { MetricsRecord } from "../trainer/store/index.js";
import { rounded } from "./curves.js";
import { escapeHtml } from "./html.js";
import { spread } from "./samples.js";
import { rewardShares, warningsOf } from "./warnings.js";

/** Most evaluations in the table. */
const EVALUATIONS = 12;

const digits = (value: number | null | undefined): string => (value === null || value === undefined ? "–" : String(rounded(value, 4)));

const table = (label: string, head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table><thead><tr>${head.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join("")}</tr></thead><tbody>
${rows.map(([name, ...values]) => `<tr><th scope="row">${escapeHtml(name!)}</th>${values.map((value) => `<td>${escapeHtml(value)}</td>`).join("")}</tr>`).join("\n")}
</tbody></table></div>`;

const section = (id: string, title: string, content: string): string =>
  `<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${content}</section>`;

/** What stands out, what drives the reward and the evaluations, each where there is something to say. */
export function findings(records: readonly MetricsRecord[], weights: Readonly<Record<string, number>>): string {
  return [standingOut(records, weights), drivers(records, weights), evaluations(records)].filter((part) => part !== "").join("\n");
}

function standingOut(records: readonly MetricsRecord[], weights: Readonly<Record<string, number>>): string {
  const warnings = warningsOf(records, weights);
  if (warnings.length === 0) return "";
  const items = warnings.map(({ title, detail }) => `<li><b>${escapeHtml(title)}</b>: ${escapeHtml(detail)}</li>`);
  return section("warnings", "What stands out", `<ul class="warnings">${items.join("")}</ul>`);
}

/** One component alone is the reward. */
function drivers(records: readonly MetricsRecord[], weights: Readonly<Record<string, number>>): string {
  const shares = rewardShares(records, weights);
  if (shares.length < 2) return "";
  const rows = shares.map(({ name, weight, first, last, contribution }) => [
    name,
    digits(weight),
    digits(first),
    digits(last),
    `${contribution > 0 ? "+" : ""}${digits(contribution)}`,
  ]);
  return section(
    "drivers",
    "What drives the reward",
    table("Reward components", ["component", "weight", "first fifth", "last fifth", "adds"], rows),
  );
}

/** Held-out metrics by step; that before training is step 0. One alone stands in the result already. */
function evaluations(records: readonly MetricsRecord[]): string {
  const valuesOf = (record: MetricsRecord, prefix: string) =>
    Object.fromEntries(
      Object.entries(record).flatMap(([name, value]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), value]] : [])),
    );
  const all = records.flatMap((record) => [
    { step: 0, values: valuesOf(record, "evalStart.") },
    { step: record.step ?? 0, values: valuesOf(record, "eval.") },
  ]);
  const held = all.filter(({ values }) => Object.keys(values).length > 0);
  if (held.length < 2) return "";
  const names = [...new Set(held.flatMap(({ values }) => Object.keys(values)))];
  const rows = spread(held, EVALUATIONS).map(({ step, values }) => [String(step), ...names.map((name) => digits(values[name]))]);
  return section("evaluations", "Held-out evaluations", table("Held-out evaluations by step", ["step", ...names], rows));
}
