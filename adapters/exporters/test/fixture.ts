import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ExportedRecord, ExportedRun } from "@proximal/core";

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), "proximal-exporters-"));

export function runIn(root: string, from = 0): ExportedRun {
  const folder = join(root, "exports");
  mkdirSync(folder, { recursive: true });
  return {
    name: "sums",
    kind: "train",
    folder,
    config: { seed: 7, optimizer: { learningRate: 3e-4 }, rewards: [{ use: "exact-match" }] },
    from,
  };
}

/** 2026-01-02T03:04:05Z plus the step in seconds. */
export const timeOf = (step: number): number => Date.UTC(2026, 0, 2, 3, 4, 5) + 1000 * step;

export const recordOf = (step: number, values: Record<string, number | null> = {}): ExportedRecord => ({
  step,
  time: timeOf(step),
  values: { step, reward: step / 8, "reward.format": null, ...values },
});
