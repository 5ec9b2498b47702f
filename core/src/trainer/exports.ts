import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ExportedRecord, ExportedRun, Exporter, RunOutcome } from "../extension/exporter.js";
import type { Placed } from "../registry/placed.js";
import type { RunEvent } from "./events.js";

/** How long a finished run waits for its exporters, milliseconds. */
const PATIENCE = 15_000;

/** One exporter beside the run: its calls follow each other, and none is waited for before the end. */
class Follower {
  private pending: ExportedRecord[] = [];
  private isOpen = false;
  private hasWarned = false;
  private work: Promise<void> = Promise.resolve();
  private isWaiting = false;

  constructor(
    private readonly placed: Placed<Exporter>,
    private readonly run: ExportedRun,
    private readonly warn: (message: string) => void,
  ) {
    this.next();
  }

  add(record: ExportedRecord): void {
    this.pending.push(record);
    this.next();
  }

  /** Whether all was handed over. */
  async close(outcome: RunOutcome): Promise<boolean> {
    this.next();
    await this.work;
    if (!this.isOpen) return false;
    await this.guarded(() => this.placed.component.close(outcome));
    return this.pending.length === 0;
  }

  /** At most one call waits behind the one at work: it takes all records that came until then. */
  private next(): void {
    if (this.isWaiting) return;
    this.isWaiting = true;
    this.work = this.work.then(async () => {
      this.isWaiting = false;
      await this.guarded(() => this.flush());
    });
  }

  private async flush(): Promise<void> {
    const { component } = this.placed;
    if (!this.isOpen) {
      mkdirSync(this.run.folder, { recursive: true });
      await component.open(this.run);
    }
    this.isOpen = true;
    const batch = [...this.pending];
    if (batch.length === 0) return;
    await component.write(batch);
    this.pending = this.pending.slice(batch.length);
  }

  private async guarded(call: () => Promise<void> | void): Promise<void> {
    try {
      await call();
    } catch (error) {
      if (!this.hasWarned) this.warn(`exporter "${this.placed.id}": ${(error as Error).message}; the run goes on`);
      this.hasWarned = true;
    }
  }
}

/** Tells all exporters of a run what happens in it. */
export class Exports {
  private followers: Follower[] = [];

  constructor(
    private readonly exporters: readonly Placed<Exporter>[],
    private readonly run: Omit<ExportedRun, "from" | "folder">,
    /** The run folder. */
    private readonly folder: string,
    private readonly warn: (message: string) => void,
  ) {}

  observe(event: RunEvent): void {
    if (this.exporters.length === 0) return;
    if (event.type === "start") this.open(event.from);
    if (event.type !== "step") return;
    const record = { step: event.record.step ?? 0, time: Date.now(), values: event.record };
    for (const follower of this.followers) follower.add(record);
  }

  /** Waits for what is under way, but not for long. */
  async close(outcome: RunOutcome): Promise<void> {
    if (this.followers.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((done) => {
      timer = setTimeout(() => done("late"), PATIENCE);
    });
    const all = Promise.all(this.followers.map((follower) => follower.close(outcome)));
    if ((await Promise.race([all, late])) === "late") this.warn("an exporter is not done in time and is left behind");
    clearTimeout(timer);
  }

  private open(from: number): void {
    this.followers = this.exporters.map((placed) => {
      const folder = join(this.folder, "exports", placed.id);
      return new Follower(placed, { ...this.run, folder, from }, this.warn);
    });
  }
}
