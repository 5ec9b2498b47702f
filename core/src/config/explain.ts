import type { ErrorObject } from "ajv";
import { ConfigError, type ErrorDetails } from "../errors.js";
import type { JsonSchema } from "./json-schema.js";
import { didYouMean } from "./nearest.js";
import { formatPath, type Path, parsePointer } from "./path.js";

/** One thing that is wrong in a config. */
export interface Mistake {
  path: Path;
  message: string;
  given?: unknown;
  accepted?: string | readonly string[];
  searched?: readonly string[];
  hint?: string;
}

/** All mistakes of a config at once. */
export class InvalidConfigError extends ConfigError {
  readonly mistakes: readonly ConfigError[];

  constructor(mistakes: readonly ConfigError[]) {
    const first = mistakes[0]!;
    super(first.message, first.details);
    this.mistakes = mistakes;
  }

  override describe(): string {
    return this.mistakes.map((mistake) => mistake.describe()).join("\n");
  }
}

/** Throws when there is a mistake; `place` tells the file and line of a path. */
export function refuse(mistakes: readonly Mistake[], place: (path: Path) => string | undefined): void {
  if (mistakes.length === 0) return;
  throw new InvalidConfigError(
    mistakes.map(({ path, message, ...details }) => {
      const where: ErrorDetails = { file: place(path), path: formatPath(path), ...details };
      return new ConfigError(message, where);
    }),
  );
}

/** Ajv's errors (`allErrors`, `verbose`) as mistakes: one a cause, in words. `prefix` is the place of the value in the config. */
export function explain(errors: readonly ErrorObject[], prefix: Path = []): Mistake[] {
  return withoutBranches(errors).map((error) => explainOne(error, [...prefix, ...parsePointer(error.instancePath)]));
}

const isWithin = (inner: ErrorObject, outer: ErrorObject): boolean =>
  inner !== outer && inner.schemaPath.startsWith(`${outer.schemaPath}/`);

/** A failed `anyOf` stands for the errors of its branches, unless the value has the type of one of them and is wrong further inside. */
function withoutBranches(errors: readonly ErrorObject[]): ErrorObject[] {
  let kept = [...errors];
  for (const union of errors.filter((error) => error.keyword === "anyOf")) {
    const inside = errors.filter((error) => isWithin(error, union));
    const branches: Record<string, ErrorObject[]> = {};
    for (const error of inside) {
      const branch = error.schemaPath.slice(union.schemaPath.length + 1).split("/")[0]!;
      branches[branch] = [...(branches[branch] ?? []), error];
    }
    const isDeeper = (error: ErrorObject) => error.instancePath !== union.instancePath || KEY_ERRORS.has(error.keyword);
    const candidates = Object.values(branches).filter((branch) => branch.every(isDeeper));
    const meant = candidates.length === 1 ? candidates[0]! : [];
    kept = kept.filter((error) => (meant.length > 0 ? error !== union : true) && (!inside.includes(error) || meant.includes(error)));
  }
  return kept;
}

const KEY_ERRORS: ReadonlySet<string> = new Set(["required", "additionalProperties"]);

function explainOne(error: ErrorObject, path: Path): Mistake {
  const schema = error.parentSchema as JsonSchema;
  if (error.keyword === "additionalProperties" || error.keyword === "unevaluatedProperties") {
    const key = String(error.params.additionalProperty ?? error.params.unevaluatedProperty);
    const known = Object.keys((schema.properties as object | undefined) ?? {});
    return {
      path: [...path, key],
      message: `unknown key "${key}"`,
      accepted: known.length > 0 ? known.filter((name) => name !== "$schema") : "no keys",
      hint: didYouMean(key, known),
    };
  }
  if (error.keyword === "required") {
    const key = String(error.params.missingProperty);
    const property = (schema.properties as Record<string, JsonSchema> | undefined)?.[key];
    return {
      path: [...path, key],
      message: `"${key}" is missing`,
      accepted: property && describeSchema(property),
      hint: property?.description as string | undefined,
    };
  }
  const accepted = describeSchema(schema);
  const choices = choicesOf(schema);
  const given: unknown = error.data;
  return {
    path,
    message: `this value is not accepted`,
    given: given === undefined ? "nothing" : given,
    accepted,
    hint: typeof given === "string" ? didYouMean(given, choices) : undefined,
  };
}

function choicesOf(schema: JsonSchema): string[] {
  if (Array.isArray(schema.enum)) return schema.enum.filter((value) => typeof value === "string");
  if (typeof schema.const === "string") return [schema.const];
  return Array.isArray(schema.anyOf) ? schema.anyOf.flatMap((branch) => choicesOf(branch as JsonSchema)) : [];
}

/** What a schema accepts, in words: "a number ≥ 0 and < 1", "group, batch or none". */
function describeSchema(schema: JsonSchema): string {
  const word = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
  if (Array.isArray(schema.enum)) return orList(schema.enum.map(word));
  if ("const" in schema) return word(schema.const)!;
  if (Array.isArray(schema.anyOf)) return orList(schema.anyOf.map((branch) => describeSchema(branch as JsonSchema)));
  const bounds = [
    schema.minimum !== undefined && `≥ ${schema.minimum}`,
    schema.exclusiveMinimum !== undefined && `> ${schema.exclusiveMinimum}`,
    schema.maximum !== undefined && `≤ ${schema.maximum}`,
    schema.exclusiveMaximum !== undefined && `< ${schema.exclusiveMaximum}`,
  ].filter((bound) => bound !== false);
  switch (schema.type) {
    case "number":
    case "integer":
      return [schema.type === "number" ? "a number" : "an integer", bounds.join(" and ")].filter(Boolean).join(" ");
    case "string":
      return [
        schema.format === "path" ? "a path" : "a text",
        schema.pattern !== undefined && `that matches ${schema.pattern}`,
        Number(schema.minLength) > 0 && schema.format !== "path" && "that is not empty",
      ]
        .filter(Boolean)
        .join(" ");
    case "boolean":
      return "true or false";
    case "null":
      return "null";
    case "array": {
      if (Array.isArray(schema.prefixItems))
        return `a list [${schema.prefixItems.map((item) => describeSchema(item as JsonSchema)).join(", ")}]`;
      const size = [
        schema.minItems !== undefined && `at least ${schema.minItems}`,
        schema.maxItems !== undefined && `at most ${schema.maxItems}`,
      ];
      const items = schema.items === undefined ? "" : ` of: ${describeSchema(schema.items as JsonSchema)}`;
      return `a list${items}${size.some(Boolean) ? ` (${size.filter(Boolean).join(", ")})` : ""}`;
    }
    case "object": {
      const keys = Object.keys((schema.properties as object | undefined) ?? {});
      return keys.length > 0 ? `an object with ${keys.join(", ")}` : "an object";
    }
    default:
      return "any value";
  }
}

const orList = (words: readonly string[]): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
