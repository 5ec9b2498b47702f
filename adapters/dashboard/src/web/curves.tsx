import { useMemo, useState } from "preact/hooks";
import type { MetricsRecord, RunEntry } from "./api.js";
import { Chart, type Line } from "./chart.js";
import { Choice, Quiet } from "./ui.js";

/** Title and metrics of each chart; a pattern takes every metric that it matches. Charts without a metric are left out. */
const CHARTS: readonly (readonly [title: string, patterns: readonly (string | RegExp)[]])[] = [
  ["Reward", ["reward", /^reward\./]],
  ["Held-out accuracy", ["eval.accuracy"]],
  ["Loss", ["loss", "eval.loss"]],
  ["Gradient norm", ["gradNorm"]],
  ["KL (nats)", ["kl", /(^|\.)kl$/]],
  ["Entropy (nats)", ["entropy", "entropyEstimate"]],
  ["Clipped fraction", [/clipFractionHigh$/, /clipFractionLow$/, /^clipFraction$/]],
  ["Length (tokens)", ["length", "lengthMax", "eval.length"]],
  ["Truncated, and groups without spread (fraction)", ["truncated", "fracZeroStd"]],
  ["Sampler against trainer, log-prob gap (nats)", ["logpGap", "logpGapMax"]],
  ["Learning rate", ["learningRate"]],
];
const MOST_LINES = 5;

export type Axis = "step" | "tokens" | "minutes";

export interface CurvesProps {
  runs: readonly RunEntry[];
  metrics: ReadonlyMap<string, readonly MetricsRecord[]>;
  colourOf: ReadonlyMap<string, number>;
  colours: number;
}

/** Value of a metric at each point; the evaluation before training stands at the first point's left, at step 0. */
export function seriesOf(records: readonly MetricsRecord[], name: string, axis: Axis): Pick<Line, "x" | "y"> {
  const x: number[] = [];
  const y: (number | null)[] = [];
  let [tokens, minutes] = [0, 0];
  const start = name.startsWith("eval.") ? records[0]?.[name.replace("eval.", "evalStart.")] : undefined;
  if (typeof start === "number") {
    x.push(0);
    y.push(start);
  }
  records.forEach((record, i) => {
    tokens += record.tokens ?? 0;
    minutes += ((record.seconds ?? 0) + (record.secondsEvaluate ?? 0)) / 60;
    x.push(axis === "step" ? (record.step ?? i + 1) : axis === "tokens" ? tokens : minutes);
    y.push(record[name] ?? null);
  });
  return { x, y };
}

const matches = (pattern: string | RegExp, name: string): boolean => (typeof pattern === "string" ? pattern === name : pattern.test(name));

/** Metrics that have a value somewhere. */
function namesOf(runs: readonly (readonly MetricsRecord[])[]): string[] {
  const names = new Set<string>();
  for (const records of runs) {
    for (const record of records) for (const [name, value] of Object.entries(record)) if (typeof value === "number") names.add(name);
  }
  return [...names].filter((name) => name !== "step" && !name.startsWith("evalStart."));
}

export function Curves({ runs, metrics, colourOf, colours }: CurvesProps) {
  const [smoothing, setSmoothing] = useState(0.6);
  const [axis, setAxis] = useState<Axis>("step");
  const [filter, setFilter] = useState("");
  const recordsOf = (id: string) => metrics.get(id) ?? [];
  const names = useMemo(
    () => namesOf(runs.map(({ id }) => recordsOf(id))),
    runs.map(({ id }) => recordsOf(id)),
  );
  if (names.length === 0) return <Quiet>There are no metrics yet.</Quiet>;

  const linesOf = (metric: string, label?: string): Line[] =>
    runs.map(({ id }) => ({
      label: label ?? (id === "." ? "run" : id),
      ...seriesOf(recordsOf(id), metric, axis),
      colour: (colourOf.get(id) ?? 1) - 1,
      smoothing,
    }));
  const single = runs.length === 1;
  const wanted = filter.trim().toLowerCase();
  const charts: { title: string; lines: Line[] }[] = [];
  if (wanted !== "") {
    for (const name of names.filter((one) => one.toLowerCase().includes(wanted)).sort()) charts.push({ title: name, lines: linesOf(name) });
  } else {
    for (const [title, patterns] of CHARTS) {
      const found = [...new Set(patterns.flatMap((pattern) => names.filter((name) => matches(pattern, name))))];
      // A single reward component repeats the reward.
      const kept = (title === "Reward" && found.length === 2 ? found.slice(0, 1) : found).slice(0, MOST_LINES);
      if (kept.length === 0) continue;
      if (single) charts.push({ title, lines: kept.map((name, i) => ({ ...linesOf(name, name)[0]!, colour: i })) });
      else for (const name of kept) charts.push({ title: name, lines: linesOf(name) });
    }
  }
  const size = charts.length;
  return (
    <>
      <div class="controls">
        <label>
          Smoothing
          <input
            type="range"
            min={0}
            max={0.99}
            step={0.01}
            value={smoothing}
            onInput={(e) => setSmoothing(Number(e.currentTarget.value))}
          />
          <output>{smoothing}</output>
        </label>
        <Choice
          label="Across"
          value={axis}
          options={[
            ["step", "steps"],
            ["tokens", "tokens"],
            ["minutes", "minutes"],
          ]}
          onChange={setAxis}
        />
        <label>
          Metric
          <input
            type="search"
            list="metric-names"
            placeholder="all metrics by name"
            value={filter}
            onInput={(e) => setFilter(e.currentTarget.value)}
          />
        </label>
        <datalist id="metric-names">
          {names.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <span class="quiet">Drag to zoom, double-click to reset.</span>
      </div>
      {size === 0 && <Quiet>No metric is called so.</Quiet>}
      <div class="charts">
        {charts.map(({ title, lines }) => (
          <Chart key={title} title={title} lines={lines} xLabel={axis} sync={axis} colours={colours} />
        ))}
      </div>
    </>
  );
}
