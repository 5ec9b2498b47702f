import type { RunFolder } from "../trainer/store/index.js";
import { type ReportFacts, writeReport } from "./write.js";

/** Share of the run time that reports may take before the last one. */
const REPORT_SHARE = 0.01;

/** Keeps the report of a run at work up to date. What goes wrong is told once and never stops the run. */
export class Reporter {
  private last = { at: Number.NEGATIVE_INFINITY, milliseconds: 0 };
  private hasWarned = false;

  constructor(
    private readonly folder: RunFolder,
    private readonly facts: ReportFacts,
    private readonly warn: (message: string) => void,
  ) {}

  /** Writes the report unless the last one took too much of the time since. */
  async update(): Promise<void> {
    const { at, milliseconds } = this.last;
    if (performance.now() - at >= milliseconds / REPORT_SHARE) await this.write();
  }

  async write(): Promise<void> {
    const start = performance.now();
    try {
      await writeReport(this.folder, this.facts);
    } catch (error) {
      if (!this.hasWarned) this.warn(`report.html could not be written: ${(error as Error).message}`);
      this.hasWarned = true;
    }
    const now = performance.now();
    this.last = { at: now, milliseconds: now - start };
  }
}
