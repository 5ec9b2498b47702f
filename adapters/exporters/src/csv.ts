import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ExportedRecord, type ExportedRun, type Exporter, exporter, options, type Static, Type } from "@proximal/core";
import { parse } from "csv-parse/sync";

export const csvOptions = Type.Object({
  file: Type.Optional(
    Type.String({ format: "path", minLength: 1, description: "File to write; exports/csv/metrics.csv in the run folder when left out" }),
  ),
});

const LEADING = ["step", "timestamp"] as const;
const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/**
 * Every metric as a column of one table, a row a step, empty where a value did not exist. A metric that shows up later makes the
 * file be written anew with its column. `timestamp` is ISO 8601.
 */
@exporter({ id: "csv", description: "A table of the metrics that spreadsheets and other trackers read", options: csvOptions })
export class CsvExporter implements Exporter {
  private file = "";
  private columns: string[] = [];
  /** What the file holds, by column. */
  private rows: ReadonlyMap<string, string>[] = [];

  constructor(@options() private readonly o: Static<typeof csvOptions>) {}

  open({ folder, from }: ExportedRun): void {
    this.file = this.o.file ?? join(folder, "metrics.csv");
    this.columns = [...LEADING];
    this.rows = [];
    if (from > 0 && existsSync(this.file)) this.restore(from);
    this.rewrite();
  }

  /** The rows of the steps that are done stay. */
  private restore(from: number): void {
    const [head = [...LEADING], ...lines] = parse(readFileSync(this.file), { relax_column_count: true });
    this.columns = head;
    const rows = lines.map((fields) => new Map(fields.map((field, i) => [this.columns[i]!, field])));
    this.rows = rows.filter((row) => Number(row.get("step")) <= from);
  }

  write(records: readonly ExportedRecord[]): void {
    const rows = records.map(({ step, time, values }) => {
      const known = Object.entries(values).filter(([name, value]) => name !== "step" && value !== null);
      return new Map([
        ["step", String(step)],
        ["timestamp", new Date(time).toISOString()],
        ...known.map(([name, value]) => [name, String(value)] as const),
      ]);
    });
    const fresh = [...new Set(rows.flatMap((row) => [...row.keys()]))].filter((name) => !this.columns.includes(name));
    this.columns.push(...fresh);
    this.rows.push(...rows);
    if (fresh.length > 0) this.rewrite();
    else appendFileSync(this.file, rows.map((row) => this.line(row)).join(""));
  }

  close(): void {}

  private line = (row: ReadonlyMap<string, string>): string => `${this.columns.map((name) => row.get(name) ?? "").join(",")}\n`;

  private rewrite(): void {
    const text = [`${this.columns.map(quoted).join(",")}\n`, ...this.rows.map(this.line)].join("");
    writeFileSync(`${this.file}.partial`, text);
    renameSync(`${this.file}.partial`, this.file);
  }
}
