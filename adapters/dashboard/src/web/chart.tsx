import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { number } from "./format.js";
import { css } from "./theme.js";

export interface Line {
  label: string;
  x: readonly number[];
  y: readonly (number | null)[];
  /** Index of its colour, from 0. */
  colour: number;
  /** Weight of the moving average, 0 to 1; 0 = none. */
  smoothing?: number;
  /** Points without a line. */
  scatter?: boolean;
}

export interface ChartProps {
  title: string;
  lines: readonly Line[];
  xLabel?: string;
  /** Charts with the same key share their cursor. */
  sync?: string;
  /** Changes with the colours of the page. */
  colours: number;
  zeroBased?: boolean;
}

const HEIGHT = 200;
export const COLOURS = 8;

/** Exponential moving average without the bias of its start; gaps stay gaps. */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  let [sum, mass] = [0, 0];
  return values.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return sum / mass;
  });
}

/** What a legend tells of a series: the value under the cursor, else the last one. */
const legendValue: uPlot.Series.Value = (chart, value, series, index) =>
  number(index === null ? [...chart.data[series]!].findLast((x) => x !== null && x !== undefined) : value);

const isSparse = (y: readonly (number | null)[]): boolean => y.filter((value) => value !== null).length < y.length / 2;

/** A constant gets a range of its own size; of zero, 0 to 1. */
const rangeOf =
  (zeroBased: boolean): uPlot.Range.Function =>
  (_, low, high) => {
    if (low === null || high === null) return [0, 1];
    const least = zeroBased ? Math.min(0, low) : low;
    if (least !== high) return uPlot.rangeNum(least, high, 0.1, true);
    return least === 0 ? [0, 1] : [least - Math.abs(least) / 10, high + Math.abs(high) / 10];
  };

function optionsOf({ lines, xLabel = "step", sync, zeroBased = false }: ChartProps, width: number): [uPlot.Options, uPlot.AlignedData] {
  const [ink, rule] = [css("--quiet"), css("--line")];
  const axis: uPlot.Axis = { stroke: ink, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule, width: 1 }, font: "11px system-ui" };
  const tables: uPlot.AlignedData[] = [];
  const series: uPlot.Series[] = [{ label: xLabel, value: legendValue }];
  for (const { label, x, y, colour, smoothing = 0, scatter = false } of lines) {
    const stroke = css(`--series-${(colour % COLOURS) + 1}`);
    const base: uPlot.Series = { label, stroke, width: 2, spanGaps: true, value: legendValue };
    const add = (values: readonly (number | null)[], more: Partial<uPlot.Series>) => {
      tables.push([x as number[], values as (number | null)[]]);
      series.push({ ...base, ...more });
    };
    if (scatter) add(y, { paths: () => null, points: { show: true, size: 5, fill: stroke, stroke } });
    else if (isSparse(y) || x.length === 1) add(y, { points: { show: true, size: 6, fill: stroke } });
    else if (smoothing === 0) add(y, { points: { show: false } });
    else {
      add(y, { alpha: 0.25, width: 1, points: { show: false }, class: "raw" });
      add(smooth(y, smoothing), { points: { show: false } });
    }
  }
  const options: uPlot.Options = {
    width,
    height: HEIGHT,
    cursor: { y: false, ...(sync === undefined ? {} : { sync: { key: sync } }) },
    legend: { live: true },
    scales: { x: { time: false }, y: { range: rangeOf(zeroBased) } },
    axes: [
      { ...axis, size: 30, values: (_, ticks) => ticks.map(number) },
      { ...axis, size: 56, values: (_, ticks) => ticks.map(number) },
    ],
    series,
  };
  return [options, aligned(tables)];
}

const isEqual = (a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

/** One table over all x; the slow join only where they differ. */
function aligned(tables: uPlot.AlignedData[]): uPlot.AlignedData {
  const [first] = tables;
  if (first === undefined) return [[]];
  if (!tables.every(([x]) => isEqual(x, first[0]))) return uPlot.join(tables);
  return [first[0], ...tables.map(([, y]) => y!)];
}

/** "reward: 0.1 at step 1, 0.9 at step 80" for those who do not see it. */
const described = ({ title, lines, xLabel = "step" }: ChartProps): string =>
  `${title}. ${lines
    .map(({ label, x, y }) => {
      const first = y.findIndex((value) => value !== null);
      const last = y.findLastIndex((value) => value !== null);
      return first < 0
        ? `${label}: no value`
        : `${label}: ${number(y[first])} at ${xLabel} ${number(x[first])}, ${number(y[last])} at ${xLabel} ${number(x[last])}`;
    })
    .join("; ")}`;

export function Chart(props: ChartProps) {
  const { title, lines, colours, xLabel, zeroBased } = props;
  const place = useRef<HTMLDivElement>(null);
  const made = useRef<{ chart: uPlot; shape: string } | null>(null);
  // New points are put into the chart; another set of lines makes another chart.
  const shape = JSON.stringify([
    lines.map(({ label, colour, smoothing, scatter }) => [label, colour, smoothing, scatter]),
    xLabel,
    colours,
    zeroBased,
  ]);
  const sparse = lines.map(({ y, x }) => isSparse(y) || x.length === 1).join();
  const state = lines.map(({ x, y }) => `${x.length} ${x.at(-1)} ${y.at(-1)} ${y[0]}`).join();
  useEffect(() => {
    const node = place.current;
    if (node === null) return;
    const [options, data] = optionsOf(props, node.clientWidth);
    const key = shape + sparse;
    if (made.current?.shape === key) {
      const { chart } = made.current;
      const { min, max } = chart.scales.x!;
      const isZoomed = chart.data[0].length > 0 && (min !== chart.data[0][0] || max !== chart.data[0].at(-1));
      chart.setData(data, !isZoomed);
      if (isZoomed) chart.redraw();
      return;
    }
    made.current?.chart.destroy();
    made.current = { chart: new uPlot(options, data, node), shape: key };
  }, [shape, sparse, state]);
  useEffect(() => {
    const node = place.current;
    if (node === null) return;
    const observer = new ResizeObserver(() => {
      const chart = made.current?.chart;
      if (chart !== undefined && chart.width !== node.clientWidth) chart.setSize({ width: node.clientWidth, height: HEIGHT });
    });
    observer.observe(node);
    return () => {
      observer.disconnect();
      made.current?.chart.destroy();
      made.current = null;
    };
  }, []);
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div class="plot" ref={place} role="img" aria-label={described(props)} />
    </figure>
  );
}
