import { createRequire } from "node:module";
import type { ErrorObject, Options } from "ajv";
import type { Ajv2020 } from "ajv/dist/2020.js";
import type standaloneCode from "ajv/dist/standalone/index.js";
import type { JsonSchema } from "./json-schema.js";

/** Fills a value with defaults in place, and tells whether it is right or leaves Ajv's errors behind. */
export interface Check {
  (value: unknown): boolean;
  errors?: ErrorObject[] | null;
}

// A package's schemas are judged when they are generated: meta-schemas and messages are not needed afterwards.
const OPTIONS: Options = {
  allErrors: true,
  verbose: true,
  messages: false,
  useDefaults: true,
  strict: false,
  validateFormats: false,
  meta: false,
  validateSchema: false,
};

// A command whose checks are all compiled by the build answers without loading Ajv.
const load = createRequire(import.meta.url);
function create(options: Options): Ajv2020 {
  const loaded = load("ajv/dist/2020.js") as { Ajv2020: typeof Ajv2020 };
  return new loaded.Ajv2020(options);
}

/** An `$id` would be registered, and refused when two installed packages carry the same one. */
const anonymous = ({ $id: _id, $schema: _schema, ...schema }: JsonSchema): JsonSchema => schema;

let shared: Ajv2020 | undefined;
/** The check of a schema. Each is used once or twice a process: what optimising its code costs is never earned back. */
export function compile(schema: JsonSchema): Check {
  shared ??= create({ ...OPTIONS, code: { optimize: false } });
  return shared.compile(anonymous(schema));
}

/** The check of a schema as the text of a CommonJS module. */
export function checkModule(schema: JsonSchema): string {
  const standalone = load("ajv/dist/standalone") as typeof standaloneCode.default;
  const ajv = create({ ...OPTIONS, code: { source: true } });
  return standalone(ajv, ajv.compile(anonymous(schema)));
}

let judge: Ajv2020 | undefined;
/** What makes `schema` no JSON schema of draft 2020-12, in words; undefined when nothing does. */
export function schemaMistake(schema: JsonSchema): string | undefined {
  judge ??= create({ strict: false });
  return judge.validateSchema(schema) === true ? undefined : judge.errorsText(judge.errors, { dataVar: "schema" });
}
