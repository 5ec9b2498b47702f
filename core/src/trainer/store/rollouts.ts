import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { RolloutsSection } from "../../config/schema.js";
import { DataError } from "../../errors.js";
import { writeDurably } from "./files.js";
import { decodeRollouts, encodeRollouts } from "./rollout-file.js";
import type { StoredRow } from "./rollout-row.js";

const INDEX = "index.json";
const nameOf = (step: number): string => `step-${String(step).padStart(6, "0")}.parquet`;
const stepOf = (name: string): number | undefined => {
  const match = /^step-(\d+)\.parquet$/.exec(name);
  return match === null ? undefined : Number(match[1]);
};

/**
 * The rollouts of a run, one Parquet file a step. What is kept depends on the steps written alone, never on when a run was
 * stopped: it ends with the same files however often it was continued.
 */
export class RolloutFiles {
  constructor(
    readonly path: string,
    private readonly limits: RolloutsSection = { keep: "all", every: 1, maxMegabytes: null },
  ) {}

  /** Steps whose rollouts are there, ascending. */
  steps(): number[] {
    if (!existsSync(this.path)) return [];
    const steps = readdirSync(this.path).flatMap((name) => stepOf(name) ?? []);
    return steps.sort((a, b) => a - b);
  }

  /** `DataError` for a step without rollouts names the steps that have some. */
  async read(step: number): Promise<StoredRow[]> {
    const file = join(this.path, nameOf(step));
    if (existsSync(file)) return decodeRollouts(readFileSync(file), file);
    throw new DataError(`the run has no rollouts of step ${step}`, { file: this.path, given: step, accepted: ranges(this.steps()) });
  }

  /** Whether the rollouts of a step, from 1, are to be written. */
  wants(step: number): boolean {
    const { keep, every } = this.limits;
    return keep !== "none" && (step === 1 || step % every === 0);
  }

  /** `step` counts from 1, as in the metrics. Older steps go when the config's limits ask for it. */
  write(step: number, rows: readonly StoredRow[]): void {
    mkdirSync(this.path, { recursive: true });
    writeDurably(join(this.path, nameOf(step)), encodeRollouts(rows));
    const { keep } = this.limits;
    if (typeof keep === "number") for (const old of this.steps().slice(0, -keep)) this.remove(old);
    this.thin(step);
  }

  /** Cuts to what a checkpoint knows. */
  truncate(step: number): void {
    for (const later of this.steps()) if (later > step) this.remove(later);
  }

  /** Doubles the distance between kept steps until their files fit; the first and the newest stay. */
  private thin(newest: number): void {
    const { every, maxMegabytes } = this.limits;
    if (maxMegabytes === null) return;
    let stride = this.stride;
    const cut = () => {
      for (const step of this.steps()) if (step !== 1 && step !== newest && step % stride !== 0) this.remove(step);
    };
    cut();
    while (this.bytes() > maxMegabytes * 1e6 && this.steps().length > 2) {
      stride = Math.max(every, stride) * 2;
      cut();
    }
    if (stride !== this.stride) writeDurably(join(this.path, INDEX), `${JSON.stringify({ stride })}\n`);
  }

  /** Distance between kept steps, as far as it grew. */
  private get stride(): number {
    const file = join(this.path, INDEX);
    return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as { stride: number }).stride : 1;
  }

  private bytes(): number {
    return this.steps().reduce((sum, step) => sum + statSync(join(this.path, nameOf(step))).size, 0);
  }

  private remove(step: number): void {
    rmSync(join(this.path, nameOf(step)), { force: true });
  }
}

/** 1, 2, 3, 7 → "1–3, 7". */
export function ranges(steps: readonly number[]): string {
  if (steps.length === 0) return "none";
  const parts: [number, number][] = [];
  for (const step of steps) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === step - 1) last[1] = step;
    else parts.push([step, step]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}–${to}`)).join(", ");
}
