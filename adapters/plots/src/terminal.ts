import { scaleLinear } from "d3-scale";
import { plot } from "simple-ascii-chart";
import type { CurvePoint, GateCurve } from "./curve.js";

export interface TerminalOptions {
  /** Columns of the terminal. */
  width?: number;
  colours?: boolean;
}

const COLOURS = ["ansiBlue", "ansiYellow", "ansiGreen", "ansiMagenta", "ansiCyan", "ansiRed"] as const;
const HEIGHT = 12;
const COLUMNS = 64;
const TICKS = 5;

/** `count` values at even ratios, read off the curve's points in straight lines. */
function resampled(points: readonly CurvePoint[], value: "surrogate" | "slope", count: number): [number, number][] {
  const [low, high] = [points[0]!.ratio, points.at(-1)!.ratio];
  let k = 0;
  return Array.from({ length: count }, (_, i) => {
    const ratio = low + ((high - low) * i) / (count - 1);
    while (k + 2 < points.length && points[k + 1]!.ratio < ratio) k++;
    const [a, b] = [points[k]!, points[k + 1]!];
    return [ratio, a[value] + ((b[value] - a[value]) * (ratio - a.ratio)) / (b.ratio - a.ratio)];
  });
}

/** The curves as text: for one gate both signs of the advantage in each chart, for several a chart for each sign. Without colours each curve has its own chart. */
export function gateText(curves: readonly GateCurve[], { width = 80, colours = true }: TerminalOptions = {}): string {
  const columns = Math.max(20, Math.min(COLUMNS, width - 16));
  const bySign = (["positive", "negative"] as const).map((sign) => ({
    sign: sign === "positive" ? "A = +1" : "A = -1",
    series: curves.map((curve) => ({ name: curve.gate.label, points: curve[sign] })),
  }));
  const charts: Chart[] = !colours
    ? bySign.flatMap(({ sign, series }) => series.map((one) => ({ suffix: ` of ${one.name}, ${sign}`, series: [one] })))
    : curves.length === 1
      ? [{ suffix: ` of ${curves[0]!.gate.label}`, series: bySign.map(({ sign, series }) => ({ name: sign, points: series[0]!.points })) }]
      : bySign.map(({ sign, series }) => ({ suffix: `, ${sign}`, series }));
  return charts.flatMap((chart) => (["surrogate", "slope"] as const).map((value) => chartText(chart, value, columns, colours))).join("\n");
}

interface Chart {
  suffix: string;
  series: { name: string; points: readonly CurvePoint[] }[];
}

function chartText({ suffix, series }: Chart, value: "surrogate" | "slope", columns: number, colours: boolean): string {
  const lines = series.map(({ points }) => resampled(points, value, columns));
  const values = lines.flat().map(([, y]) => y);
  const y = scaleLinear([Math.min(...values, 0), Math.max(...values, 0)], [0, 1]).nice(TICKS);
  const x = scaleLinear([lines[0]![0]![0], lines[0]!.at(-1)![0]], [0, 1]);
  // A tick is drawn where a column's own ratio is: the nearest one to each round number.
  const columnOf = (ratio: number) => Math.round(x(ratio) * (columns - 1));
  const labels = new Map(x.ticks(TICKS).map((tick) => [lines[0]![columnOf(tick)]![0], String(tick)]));
  const chart = plot(lines, {
    title: `${value === "surrogate" ? "surrogate" : "d surrogate / d ratio"}${suffix}, against the ratio`,
    width: columns,
    height: HEIGHT,
    yRange: y.domain() as [number, number],
    customYAxisTicks: y.ticks(TICKS),
    customXAxisTicks: [...labels.keys()],
    ...(colours ? { color: series.map((_, i) => COLOURS[i % COLOURS.length]!) } : {}),
    ...(colours ? { legend: { position: "bottom", series: series.map(({ name }) => name) } } : {}),
    formatter: (number, { axis }) => (axis === "x" ? (labels.get(number) ?? "") : String(Number(number.toPrecision(3)))),
  });
  return chart
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
