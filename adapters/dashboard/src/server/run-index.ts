import { existsSync, readdirSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { ProximalError, UsageError } from "@proximal/core";
import type { RunEntry } from "../web/api.js";
import { RunView } from "./run-view.js";

/** How far below the folder runs are looked for, and how often, milliseconds. */
const DEPTH = 3;
const RESCAN = 2000;

const isRun = (folder: string): boolean => existsSync(join(folder, "run.json")) && existsSync(join(folder, "config.json"));

/**
 * The runs in a folder, found by looking, not by asking: a name that a request gives is only ever compared with those found.
 * Links are not followed.
 */
export class RunIndex {
  private readonly views = new Map<string, { view: RunView; born: number }>();
  private scanned = Number.NEGATIVE_INFINITY;

  /** `UsageError` when there is no such folder. */
  constructor(readonly folder: string) {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
      throw new UsageError("there is no such folder", { file: folder, hint: "give the folder that holds your runs, or one run" });
    }
  }

  /** The run that was started last comes first. */
  entries(): RunEntry[] {
    this.scan();
    return [...this.views.values()].map(({ view }) => view.entry()).sort((a, b) => b.started - a.started);
  }

  /** undefined for a name that no run here has. */
  get(id: string): RunView | undefined {
    this.scan();
    return this.views.get(id)?.view;
  }

  private scan(): void {
    const now = performance.now();
    if (now - this.scanned < RESCAN) return;
    this.scanned = now;
    const found = new Set<string>();
    const visit = (folder: string, depth: number): void => {
      if (isRun(folder)) {
        const id = relative(this.folder, folder).split(sep).join("/") || ".";
        if (this.open(id, folder)) found.add(id);
        return;
      }
      if (depth === DEPTH) return;
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith(".")) visit(join(folder, entry.name), depth + 1);
      }
    };
    visit(this.folder, 0);
    for (const id of this.views.keys()) if (!found.has(id)) this.views.delete(id);
  }

  /** A run that was started over in its folder is opened anew. */
  private open(id: string, folder: string): boolean {
    const born = statSync(join(folder, "run.json")).mtimeMs;
    if (this.views.get(id)?.born === born) return true;
    try {
      this.views.set(id, { view: new RunView(id, folder, born), born });
      return true;
    } catch (error) {
      if (error instanceof ProximalError || error instanceof SyntaxError) return false;
      throw error;
    }
  }
}
