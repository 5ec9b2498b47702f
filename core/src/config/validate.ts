import { type Check, compile } from "./compiler.js";
import { explain, type Mistake } from "./explain.js";
import type { JsonSchema } from "./json-schema.js";
import { nearest } from "./nearest.js";
import type { Path } from "./path.js";

const checks = new WeakMap<JsonSchema, Check>();

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

/** From now on `check` stands for `schema`. */
export function adoptCheck(schema: JsonSchema, check: Check): void {
  checks.set(schema, check);
}

/** Fills `value` with the schema's defaults in place and returns what is wrong with it. A schema is compiled once. */
export function validate(schema: JsonSchema, value: unknown, prefix: Path = []): Mistake[] {
  let check = checks.get(schema);
  if (check === undefined) {
    check = compile(schema);
    checks.set(schema, check);
  }
  return check(value) ? [] : explain(check.errors ?? [], prefix);
}
