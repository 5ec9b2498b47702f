import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defineConformance, defineExamples, type ExportedRecord } from "@proximal/core";

/** An exporter computes no numbers: there is nothing to compare with vectors. */
export default defineConformance({});

const existing = ({ values }: ExportedRecord): Record<string, number> =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== null));

/** How to read back what arrived in its folder: values by name, by step. */
export const examples = defineExamples({
  exported: {
    "exporter:my-slug": (folder) => {
      const lines = readFileSync(join(folder, "steps.jsonl"), "utf8").trimEnd().split("\n");
      const records = lines.map((line) => JSON.parse(line) as ExportedRecord);
      return new Map(records.map((record) => [record.step, existing(record)]));
    },
  },
});
