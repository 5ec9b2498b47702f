import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { explain, type Mistake } from "./explain.js";
import type { JsonSchema } from "./json-schema.js";
import { nearest } from "./nearest.js";
import type { Path } from "./path.js";

// Each schema is used once or twice a process: what optimising its code costs is never earned back.
const code = { optimize: false } as const;
const ajv = new Ajv2020({ allErrors: true, verbose: true, useDefaults: true, strict: false, validateFormats: false, code });
const compiled = new WeakMap<JsonSchema, ValidateFunction>();

const keysOf = (branch: JsonSchema): string[] => Object.keys((branch.properties as object | undefined) ?? {});

/** Of a union of objects, the one that has the keys of `value`, or nearly; the whole schema when none has any. */
export function branchFor(schema: JsonSchema, value: object): JsonSchema {
  if (!Array.isArray(schema.anyOf)) return schema;
  const score = (branch: JsonSchema) =>
    Object.keys(value).reduce(
      (sum, key) => sum + (keysOf(branch).includes(key) ? 2 : nearest(key, keysOf(branch)) === undefined ? 0 : 1),
      0,
    );
  const best = (schema.anyOf as JsonSchema[]).reduce((a, b) => (score(b) > score(a) ? b : a));
  return score(best) > 0 ? best : schema;
}

/** Fills `value` with the schema's defaults in place and returns what is wrong with it. A schema is compiled once. */
export function validate(schema: JsonSchema, value: unknown, prefix: Path = []): Mistake[] {
  let check = compiled.get(schema);
  if (check === undefined) {
    // An `$id` would be registered, and refused when two installed packages carry the same one.
    const { $id: _id, $schema: _schema, ...anonymous } = schema;
    check = ajv.compile(anonymous);
    compiled.set(schema, check);
  }
  return check(value) ? [] : explain(check.errors ?? [], prefix);
}
