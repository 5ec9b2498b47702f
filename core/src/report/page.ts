import type { EventRecord, RunKind } from "../trainer/store/index.js";
import type { RunSummary } from "../trainer/summary.js";
import { type Curves, rounded } from "./curves.js";
import { document } from "./document.js";
import { duration } from "./duration.js";
import { escapeHtml } from "./html.js";
import type { Samples } from "./samples.js";

export interface RunFacts {
  kind: RunKind;
  name: string;
  algorithm: string | undefined;
  /** Steps that the config asks for. */
  steps: number | undefined;
  /** Folder that the model came from. */
  model: string | undefined;
  finished: boolean;
  summary: RunSummary;
  /** What stands out, what drives the reward and the evaluations, as HTML. */
  findings: string;
  description: readonly string[];
  /** Warnings, and what watchdogs did. */
  events: readonly EventRecord[];
  config: unknown;
}

/** The whole page of a run's report. */
export function page(facts: RunFacts, data: { curves: Curves; samples: Samples }): string {
  const { name, description, config } = facts;
  const body = `<header>
<h1>${escapeHtml(name)}</h1>
<p>${escapeHtml(subtitle(facts))}</p>
</header>
<main>
<section aria-labelledby="result"><h2 id="result">Result</h2>${tiles(facts)}</section>
${facts.findings}
${eventsOf(facts)}
<section aria-labelledby="curves"><h2 id="curves">Curves</h2><div id="curves-view"></div></section>
<section aria-labelledby="samples"><h2 id="samples">Samples</h2><div id="samples-view"></div></section>
${description.length === 0 ? "" : disclosure("What the run does", description.map((line) => line.replace(/^ {2}/, "")).join("\n"), true)}
${disclosure("Resolved config", JSON.stringify(config, null, 2), false)}
</main>
<noscript><p>Curves and samples need JavaScript.</p></noscript>`;
  return document({ title: name, body, data, scripts: ["dom.js", "charts.js", "tokens.js", "samples.js", "main.js"] });
}

/** The newest events; a run that warns in every step shall not hide its curves. */
const EVENTS_SHOWN = 50;

function eventsOf({ events }: RunFacts): string {
  if (events.length === 0) return "";
  const left = events.length - EVENTS_SHOWN;
  const rows = events
    .slice(-EVENTS_SHOWN)
    .map(
      ({ step, kind, source, message }) =>
        `<tr><td>${step}</td><td>${kind}</td><td>${escapeHtml(source)}</td><td>${escapeHtml(message)}</td></tr>`,
    );
  const head = ["step", "kind", "by", "what"].map((name) => `<th scope="col">${name}</th>`).join("");
  return `<section aria-labelledby="events"><h2 id="events">Warnings</h2>
<div class="tables"><table><thead><tr>${head}</tr></thead><tbody>
${rows.join("\n")}
</tbody></table></div>${left > 0 ? `<p class="quiet">${left} earlier ones: events.jsonl</p>` : ""}</section>`;
}

function subtitle({ kind, algorithm, model, steps, finished, summary }: RunFacts): string {
  const method = kind === "sft" ? "supervised training" : (algorithm ?? "own composition");
  const progress = finished ? `finished, ${summary.steps} steps` : `step ${summary.steps}${steps === undefined ? "" : ` of ${steps}`}`;
  return [method, ...(model === undefined ? [] : [`model ${model}`]), `seed ${summary.seed}`, progress].join(" · ");
}

const disclosure = (title: string, text: string, isOpen: boolean): string =>
  `<details class="text"${isOpen ? " open" : ""}><summary><h2>${title}</h2></summary><pre tabindex="0">${escapeHtml(text)}</pre></details>`;

type Value = number | null;
const fixed = (value: Value, digits: number): string => (value === null || !Number.isFinite(value) ? "–" : value.toFixed(digits));
/** A few digits however small it is: 1.2e-8. */
const brief = (value: Value): string => (value === null ? "–" : String(rounded(value, 3)));
const percent = (value: Value): string => (value === null ? "–" : `${(100 * value).toFixed(1)} %`);

/** What the run improves, from its start to its end, then its cost. */
function tiles({ summary }: RunFacts): string {
  const { evalAccuracyStart, evalAccuracyEnd, rewardStart, rewardEnd, lossStart, lossEnd } = summary;
  const changes = [
    { name: "Held-out accuracy", start: evalAccuracyStart, end: evalAccuracyEnd, show: percent },
    { name: "Reward", start: rewardStart, end: rewardEnd, show: (value: Value) => fixed(value, 3) },
    { name: "Loss", start: lossStart, end: lossEnd, show: brief },
  ].filter(({ start, end }) => start !== null || end !== null);
  const costs: [string, string][] = [
    ["Steps", String(summary.steps)],
    ["Time", duration(summary.seconds)],
    ["Tokens/s", fixed(summary.tokensPerSecond, 0)],
    ...(summary.skippedUpdates > 0 ? [["Skipped updates", String(summary.skippedUpdates)] as [string, string]] : []),
  ];
  return `<dl class="tiles">
${changes.map(({ name, start, end, show }) => tile(name, show(end), `from ${show(start)}`)).join("\n")}
${costs.map(([name, value]) => tile(name, value)).join("\n")}
</dl>`;
}

const tile = (name: string, value: string, beside = ""): string =>
  `<div class="tile"><dt>${name}</dt><dd>${value}${beside === "" ? "" : ` <small>${beside}</small>`}</dd></div>`;
