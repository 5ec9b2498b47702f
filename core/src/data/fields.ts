import { didYouMean } from "../config/nearest.js";
import { parsePath, valueAt } from "../config/path.js";

type Fields = Readonly<Record<string, unknown>>;

/** The value of a field, or of a path into it (`reward_model.ground_truth`, `choices[0]`); undefined where there is none. */
export const fieldOf = (fields: Fields, name: string): unknown => (name in fields ? fields[name] : valueAt(fields, parsePath(name)));

/** What the record has instead of a field, for errors. */
export function missingField(fields: Fields, name: string): { given: string; hint?: string } {
  const names = Object.keys(fields);
  const nested = names.flatMap((outer) => {
    const value = fields[outer];
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? Object.keys(value).map((inner) => `${outer}.${inner}`) : [];
  });
  const hint = didYouMean(name, [...names, ...nested]);
  return { given: `fields ${names.join(", ") || "(none)"}`, ...(hint === undefined ? {} : { hint }) };
}
