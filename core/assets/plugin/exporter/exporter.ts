import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ExportedRecord, type ExportedRun, type Exporter, exporter, options, type Static, Type } from "@proximal/core";

const exporterOptions = Type.Object({
  file: Type.String({ default: "steps.jsonl", minLength: 1, description: "Name of the file, inside the exporter's folder" }),
});

const lineOf = (record: ExportedRecord): string => `${JSON.stringify(record)}\n`;

/** One JSON object a line: step, time in milliseconds, values by name. */
@exporter({ id: "my-slug", description: "Metrics as JSON lines", options: exporterOptions })
export class MySlugExporter implements Exporter {
  private file = "";

  constructor(@options() private readonly o: Static<typeof exporterOptions>) {}

  /** A run that goes on from step `from` makes what was written of later steps void. */
  open({ folder, from }: ExportedRun): void {
    this.file = join(folder, this.o.file);
    const lines = from > 0 && existsSync(this.file) ? readFileSync(this.file, "utf8").split("\n").filter(Boolean) : [];
    const kept = lines.map((line) => JSON.parse(line) as ExportedRecord).filter(({ step }) => step <= from);
    writeFileSync(this.file, kept.map(lineOf).join(""));
  }

  write(records: readonly ExportedRecord[]): void {
    appendFileSync(this.file, records.map(lineOf).join(""));
  }

  close(): void {}
}
