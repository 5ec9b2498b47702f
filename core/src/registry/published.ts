import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkModule } from "../config/compiler.js";
import { CHECKS_FOLDER, CORE_SCHEMAS, checkFile } from "../config/core-schema.js";
import { CORE_FOLDER } from "../config/installation.js";
import { composeRunSchema } from "../config/run-schema.js";
import { runSchema } from "../config/schema.js";
import { manifestSchema } from "../extension/manifest.js";
import { type GeneratedFiles, schemaFile } from "./author.js";
import { discover } from "./discover.js";
import { conformanceSchema, datasetRecordSchema, metricsRecordSchema } from "./formats.js";

/** Schemas that this package reads when it runs, by path relative to the package. */
export const coreSchemas = (): GeneratedFiles =>
  new Map([
    ["schemas/run.schema.json", schemaFile(runSchema, "Run config, the part that is the same for all runs")],
    ["schemas/manifest.schema.json", schemaFile(manifestSchema, "Manifest of a plugin package")],
  ]);

/** Writes the compiled checks of these schemas. They are part of the build, not of the repository: nothing commits them. */
export function writeCoreChecks(): void {
  const schemas = coreSchemas();
  rmSync(join(CORE_FOLDER, CHECKS_FOLDER), { recursive: true, force: true });
  mkdirSync(join(CORE_FOLDER, CHECKS_FOLDER), { recursive: true });
  for (const name of CORE_SCHEMAS) {
    const text = schemas.get(`schemas/${name}.schema.json`)!;
    writeFileSync(join(CORE_FOLDER, checkFile(name, text)), checkModule(JSON.parse(text)));
  }
}

/** Schemas for editors and other tools, over everything installed in `root`, by path relative to `root`. */
export function publishedSchemas(root: string): GeneratedFiles {
  const run = composeRunSchema(discover([root]));
  return new Map([
    ["schemas/run.schema.json", `${JSON.stringify(run, null, 2)}\n`],
    ["schemas/manifest.schema.json", schemaFile(manifestSchema, "Manifest of a plugin package")],
    ["schemas/conformance.schema.json", schemaFile(conformanceSchema, "Conformance vectors")],
    ["schemas/dataset-record.schema.json", schemaFile(datasetRecordSchema, "One record of a data set")],
    ["schemas/metrics-record.schema.json", schemaFile(metricsRecordSchema, "One line of metrics.jsonl")],
  ]);
}
