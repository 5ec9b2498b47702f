import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Check } from "./compiler.js";
import { CORE_FOLDER } from "./installation.js";
import type { JsonSchema } from "./json-schema.js";
import { adoptCheck } from "./validate.js";

/** Schemas that this package reads whenever it runs: its own part of a run config, and a plugin's manifest. */
export const CORE_SCHEMAS = ["run", "manifest"] as const;
export type CoreSchemaName = (typeof CORE_SCHEMAS)[number];

/** Where the build leaves the compiled checks, relative to this package. */
export const CHECKS_FOLDER = "dist/checks";

/** Where the check of a schema with this text lies, relative to this package: a changed schema never meets an old check. */
export const checkFile = (name: CoreSchemaName, schema: string): string =>
  `${CHECKS_FOLDER}/${name}-${createHash("sha256").update(schema).digest("hex").slice(0, 12)}.cjs`;

const known = new Map<CoreSchemaName, JsonSchema>();
const load = createRequire(import.meta.url);

/** A schema of this package. Its check comes from the build; without one, Ajv compiles it at first use, which takes longer. */
export function coreSchema(name: CoreSchemaName): JsonSchema {
  const before = known.get(name);
  if (before !== undefined) return before;
  const text = readFileSync(join(CORE_FOLDER, "schemas", `${name}.schema.json`), "utf8");
  const schema = JSON.parse(text) as JsonSchema;
  const file = join(CORE_FOLDER, checkFile(name, text));
  if (existsSync(file)) adoptCheck(schema, load(file) as Check);
  known.set(name, schema);
  return schema;
}
