import { resolve } from "node:path";
import { ConfigError } from "../errors.js";
import { isRecord } from "./document.js";
import type { Mistake } from "./explain.js";
import type { JsonSchema } from "./json-schema.js";
import type { Path } from "./path.js";

/** Calls `visit` for every value that a schema describes, from the inside out, and puts its result in the value's place. */
function rewrite(
  schema: JsonSchema,
  value: unknown,
  path: Path,
  visit: (schema: JsonSchema, value: unknown, path: Path) => unknown,
): unknown {
  if (Array.isArray(value) && isRecord(schema.items)) {
    const items = schema.items;
    return value.map((item, i) => rewrite(items, item, [...path, i], visit));
  }
  if (isRecord(value) && isRecord(schema.properties)) {
    const properties = schema.properties as Record<string, JsonSchema>;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        key in properties ? rewrite(properties[key]!, inner, [...path, key], visit) : inner,
      ]),
    );
  }
  if (Array.isArray(schema.anyOf)) {
    return schema.anyOf.reduce<unknown>((result, branch) => rewrite(branch as JsonSchema, result, path, visit), value);
  }
  return visit(schema, value, path);
}

/** What a data set on a hub begins with where a path may stand. */
export const HUB_PREFIX = "hub:";

/** Strings of `format: "path"` made absolute, but for data sets on a hub; `baseOf` gives the folder that a relative one starts from. */
export const absolutePaths = <T>(schema: JsonSchema, value: T, baseOf: (path: Path) => string, prefix: Path = []): T =>
  rewrite(schema, value, prefix, ({ format }, inner, path) =>
    format === "path" && typeof inner === "string" && !inner.startsWith(HUB_PREFIX) ? resolve(baseOf(path), inner) : inner,
  ) as T;

const SECRET_KEY = /(api[-_]?key|secret|password|credentials?|(access|auth|bearer)[-_]?token|^authorization|^cookie)$/i;
/** Of request headers, every value may be a secret: each may name an environment variable. */
const HEADERS_KEY = "headers";
const REFERENCE = /^env:([A-Za-z_]\w*)$/;

/** Secrets that stand in the config itself instead of naming an environment variable. The value is not repeated. */
export function plainSecrets(value: unknown, prefix: Path = []): Mistake[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => plainSecrets(item, [...prefix, i]));
  if (!isRecord(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = [...prefix, key];
    if (!SECRET_KEY.test(key) || typeof inner !== "string" || REFERENCE.test(inner)) return plainSecrets(inner, path);
    return [{ path, message: "a secret does not belong into a config", accepted: "env:NAME, the name of an environment variable" }];
  });
}

/**
 * A copy in which every `env:NAME` of a secret key, or of a request header, is the variable's value. Errors: a variable that is
 * not set.
 */
export function revealSecrets<T>(value: T, environment: NodeJS.ProcessEnv = process.env, inHeaders = false): T {
  if (Array.isArray(value)) return value.map((item) => revealSecrets(item, environment)) as T;
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const name = (inHeaders || SECRET_KEY.test(key)) && typeof inner === "string" ? REFERENCE.exec(inner)?.[1] : undefined;
      if (name === undefined) return [key, revealSecrets(inner, environment, key === HEADERS_KEY)];
      const secret = environment[name];
      if (secret === undefined || secret === "")
        throw new ConfigError(`the environment variable ${name} is not set`, { path: key, given: inner });
      return [key, secret];
    }),
  ) as T;
}
