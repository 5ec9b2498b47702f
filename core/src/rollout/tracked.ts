import type { Batch } from "./batch.js";

/** Methods of a batch whose first argument names a column. */
const READS = new Set(["column", "f64", "i32", "strings", "json", "tokensOf", "ragged", "has"]);
/** Structure of every batch rather than columns: which rows belong together, which tokens count. */
export const STRUCTURE: ReadonlySet<string> = new Set(["group", "lengths", "mask", "keepTokens"]);

/** Noted when a component asks for the rows as trajectories, which hold tokens and texts. */
export const ROWS = "trajectories";
const IN_ROWS: ReadonlySet<string> = new Set(["tokens", "completions", "prompts", "promptId", "golds", "oldLogp", "truncated"]);

/** Whether a column was read, by its name or with the rows. */
export const wasRead = (name: string, read: ReadonlySet<string>): boolean => read.has(name) || (read.has(ROWS) && IN_ROWS.has(name));

/** The batch, noting in `read` every column that is asked for and that was not added to it afterwards. */
export function tracked(batch: Batch, read: Set<string>, added: ReadonlySet<string> = new Set()): Batch {
  return new Proxy(batch, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (key === "trajectories") read.add(ROWS);
      if (typeof value !== "function") return value;
      const method = value as (...given: unknown[]) => unknown;
      return (...given: unknown[]) => {
        const name = String(given[0]);
        if (READS.has(String(key)) && !added.has(name) && !STRUCTURE.has(name)) read.add(name);
        const result = method.apply(target, given);
        if (key === "with") return tracked(result as Batch, read, new Set([...added, ...Object.keys(given[0] as object)]));
        return key === "select" || key === "withTrajectories" ? tracked(result as Batch, read, added) : result;
      };
    },
  });
}
