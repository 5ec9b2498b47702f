import { isDeepStrictEqual } from "node:util";
import { ConfigError, completeOptions, type Options } from "@proximal/core";
import { build, type Subject } from "./subject.js";

/** The part of JSON schema that option values use. */
interface OptionSchema {
  type?: string;
  const?: unknown;
  enum?: readonly unknown[];
  anyOf?: readonly OptionSchema[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  default?: unknown;
}

/** A number just inside an open border: a thousandth of the unit, or of the range where that is narrower. */
const inside = (border: number, other: number | undefined, sign: 1 | -1): number =>
  border + sign * Math.min(1e-3, other === undefined ? 1e-3 : Math.abs(other - border) / 1e3);

/** Values at the borders of an option's range: ends of intervals, every choice, both truth values. */
export function borderValues(schema: OptionSchema): unknown[] {
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap(borderValues);
  if (schema.enum !== undefined) return [...schema.enum];
  if ("const" in schema) return [schema.const];
  if (schema.type === "null") return [null];
  if (schema.type === "boolean") return [false, true];
  if (schema.type !== "number" && schema.type !== "integer") return [];
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const whole = schema.type === "integer";
  const low =
    minimum ??
    (exclusiveMinimum === undefined ? undefined : whole ? exclusiveMinimum + 1 : inside(exclusiveMinimum, maximum ?? exclusiveMaximum, 1));
  const high =
    maximum ??
    (exclusiveMaximum === undefined ? undefined : whole ? exclusiveMaximum - 1 : inside(exclusiveMaximum, minimum ?? exclusiveMinimum, -1));
  return [low, high].filter((value) => value !== undefined);
}

/**
 * Option sets with one option at a border of its range each, and those of the plugin's examples. What the component refuses
 * beside its other options is left out.
 */
export function optionSets(subject: Subject): { title: string; options: Options }[] {
  const { metadata, base, component, examples, name } = subject;
  const properties = (metadata.options?.properties ?? {}) as Readonly<Record<string, OptionSchema>>;
  const usual = completeOptions(component, base);
  const borders = Object.entries(properties).flatMap(([option, schema]) =>
    borderValues(schema)
      .filter((value) => !isDeepStrictEqual(value, usual[option]))
      .map((value) => ({ title: `${option} = ${JSON.stringify(value)}`, options: { ...base, [option]: value } })),
  );
  const given = (examples.options?.[name] ?? [])
    .slice(1)
    .map((options) => ({ title: JSON.stringify(options), options: { ...base, ...options } }));
  return [...borders, ...given].filter(({ options }) => accepts(subject, options));
}

function accepts(subject: Subject, options: Options): boolean {
  try {
    build(subject, options);
    return true;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}
