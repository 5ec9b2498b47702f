import type { MetricsRecord } from "../trainer/index.js";

type Value = MetricsRecord[string] | undefined;

export const fixed = (value: Value, digits: number): string | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value.toFixed(digits) : undefined;

export const percent = (value: Value): string | undefined =>
  typeof value === "number" && Number.isFinite(value) ? `${(100 * value).toFixed(1)}%` : undefined;

/** Means of equal parts. */
export function shrink(values: readonly number[], width: number): number[] {
  if (values.length <= width) return [...values];
  return Array.from({ length: width }, (_, i) => {
    const part = values.slice(Math.floor((i * values.length) / width), Math.floor(((i + 1) * values.length) / width));
    return part.reduce((a, b) => a + b, 0) / part.length;
  });
}

const BAR = 12;

/** `████░░░░ 3/9` */
export function progressBar(step: number, steps: number): string {
  const full = Math.min(BAR, Math.round((BAR * step) / steps));
  return `${"█".repeat(full)}${"░".repeat(BAR - full)} ${step}/${steps}`;
}

const LEVELS = "▁▂▃▄▅▆▇█";

/** A curve of one line, its lowest value at the bottom and its highest at the top. */
export function sparkline(values: readonly number[], width: number): string {
  const points = shrink(values, width);
  const [low, high] = [Math.min(...points), Math.max(...points)];
  const level = (value: number) => (high > low ? Math.round(((value - low) / (high - low)) * (LEVELS.length - 1)) : 0);
  return points.map((value) => LEVELS[level(value)]!).join("");
}
