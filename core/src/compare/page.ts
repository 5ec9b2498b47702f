import { join } from "node:path";
import { mean } from "../builtin/statistics.js";
import { rounded } from "../report/curves.js";
import { document } from "../report/document.js";
import { escapeHtml } from "../report/html.js";
import { writeDurably } from "../trainer/store/files.js";
import { RunFolder } from "../trainer/store/index.js";
import type { Comparison, ContenderResult } from "./compare.js";
import { curve, type Point } from "./measures.js";
import { estimate } from "./statistics.js";
import { COLUMNS, cell, differenceCell } from "./table.js";

/** Charts with their metrics. */
const CHARTS = [
  ["Held-out accuracy", "eval.accuracy"],
  ["Reward", "reward"],
  ["Entropy of the sampled tokens (nats)", "entropyEstimate"],
  ["Length (tokens)", "length"],
  ["KL to the sampling policy (nats)", "kl"],
  ["Gradient norm", "gradNorm"],
  ["Clipped fraction", "clipFraction"],
  ["Groups without reward spread (fraction)", "fracZeroStd"],
] as const;
/** Points of a mean curve. */
const POINTS = 80;

interface Series {
  name: string;
  mean: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
}

/** Value at `x`, straight between the points; null outside of them. */
function valueAt(points: readonly Point[], x: number): number | null {
  const next = points.findIndex(([tokens]) => tokens >= x);
  if (next < 0) return null;
  const [x1, y1] = points[next]!;
  if (x1 === x) return y1;
  if (next === 0) return null;
  const [x0, y0] = points[next - 1]!;
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}

/** Mean over seeds with its 95 % interval where every seed has a value. */
function series(name: string, runs: readonly Point[][], grid: readonly number[]): Series {
  const at = grid.map((x) => runs.map((points) => valueAt(points, x)));
  const whole = at.map((values) => (values.some((value) => value === null) || values.length === 0 ? null : estimate(values as number[])));
  const pick = (of: (e: NonNullable<(typeof whole)[number]>) => number) => whole.map((e) => (e === null ? null : rounded(of(e))));
  return {
    name,
    mean: pick((e) => e.mean),
    low: pick((e) => e.interval?.[0] ?? e.mean),
    high: pick((e) => e.interval?.[1] ?? e.mean),
  };
}

function charts(output: string, contenders: readonly ContenderResult[]) {
  const runs = contenders.map(({ name, runs }) => ({
    name,
    records: runs.map(({ folder }) => RunFolder.open(join(output, folder)).metrics()),
  }));
  const most = Math.max(1, ...contenders.flatMap(({ runs }) => runs.map(({ tokens }) => tokens)));
  const grid = Array.from({ length: POINTS + 1 }, (_, i) => Math.round((i * most) / POINTS));
  return CHARTS.flatMap(([title, metric]) => {
    const all = runs.map(({ name, records }) =>
      series(
        name,
        records.map((r) => curve(r, metric)),
        grid,
      ),
    );
    return all.every(({ mean: values }) => values.every((value) => value === null)) ? [] : [{ title, tokens: grid, series: all }];
  });
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((text) => `<th scope="col">${escapeHtml(text)}</th>`).join("");
  const body = rows.map(
    ([name, ...cells]) =>
      `<tr><th scope="row">${escapeHtml(name!)}</th>${cells.map((text) => `<td>${escapeHtml(text)}</td>`).join("")}</tr>`,
  );
  return `<div class="tables"><table><thead><tr><th scope="col"></th>${head}</tr></thead><tbody>\n${body.join("\n")}\n</tbody></table></div>`;
}

const list = (items: readonly string[]): string => `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</ul>`;

/** Writes `compare.html` of a comparison: one page that needs no network. Returns the file's path. */
export function writeComparison(comparison: Comparison, output: string): string {
  const { contenders, task, seeds, budget, steps, notes } = comparison;
  const heads = COLUMNS.map(([, head]) => head(comparison));
  const rows = contenders.map(({ name, over, runs }) => [name, ...COLUMNS.map(([measure]) => cell(measure, over[measure], runs.length))]);
  const differences = contenders.flatMap(({ name, against }) =>
    against === undefined ? [] : [[name, ...COLUMNS.map(([measure]) => differenceCell(measure, against[measure]))]],
  );
  const cost = contenders.map(({ name, runs }) => {
    const of = (value: (run: (typeof runs)[number]) => number) => Math.round(mean(runs.map(value))).toLocaleString("en");
    return [name, of((r) => r.tokens), of((r) => r.responses), of((r) => r.steps), of((r) => r.updates), of((r) => r.seconds)];
  });
  const title = `${contenders.map(({ name }) => name).join(", ")} on ${task}`;
  const size = budget === null ? `${steps} steps` : `${budget.toLocaleString("en")} response tokens`;
  const body = `<header><h1>${escapeHtml(title)}</h1><p>${escapeHtml(`${seeds} seeds · ${size} a run`)}</p></header>
<main>
<section aria-labelledby="result"><h2 id="result">Result: mean ± half of the 95 % interval</h2>${table(heads, rows)}</section>
${differences.length === 0 ? "" : `<section aria-labelledby="difference"><h2 id="difference">Difference to ${escapeHtml(contenders[0]!.name)}, paired by seed</h2>${table(heads, differences)}</section>`}
<section aria-labelledby="cost"><h2 id="cost">Cost, mean of a run</h2>${table(["tokens drawn", "responses", "steps", "updates", "seconds"], cost)}</section>
<section aria-labelledby="curves"><h2 id="curves">Curves over response tokens: mean and 95 % interval</h2><div id="comparison-view"></div></section>
<section aria-labelledby="notes"><h2 id="notes">What is the same, what differs</h2>${list([...notes, ...contenders.flatMap(({ name, differences }) => (differences.length === 0 ? [] : [`${name}: ${differences.join("; ")}`]))])}</section>
${contenders.map(({ name, description }) => `<details class="text"><summary><h2>${escapeHtml(name)}</h2></summary><pre tabindex="0">${escapeHtml(description.map((line) => line.replace(/^ {2}/, "")).join("\n"))}</pre></details>`).join("\n")}
</main>`;
  const file = join(output, "compare.html");
  writeDurably(file, document({ title, body, data: { charts: charts(output, contenders) }, scripts: ["dom.js", "compare.js"] }));
  return file;
}
