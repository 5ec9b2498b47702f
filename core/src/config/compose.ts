import type { ManifestAlgorithm } from "../extension/manifest.js";
import { isRecord } from "./document.js";
import { COMPONENT_SECTIONS, type ComponentSectionName, LIST_SECTIONS } from "./run-schema.js";

/** Where a part of a run comes from: the algorithm, the config (overrides included), or the algorithm with options of the config. */
export type Origin = "algorithm" | "config" | "algorithm, changed by config";

export interface Composed {
  /** The config with the algorithm's parts filled in; not validated, values of the config untouched where they have a wrong type. */
  value: Record<string, unknown>;
  origins: Partial<Record<ComponentSectionName | "trainer" | "optimizer", Origin>>;
}

/**
 * The algorithm's parts with the config's sections over them. A section with `use` replaces the algorithm's; one without
 * changes single options of it; a list replaces the algorithm's list; gate and objective replace each other.
 */
export function compose(config: Readonly<Record<string, unknown>>, algorithm?: ManifestAlgorithm): Composed {
  const parts = structuredClone(algorithm?.compose ?? {}) as Record<string, unknown>;
  if (config.objective !== undefined) delete parts.gate;
  if (config.gate !== undefined) delete parts.objective;
  const value: Record<string, unknown> = structuredClone(config);
  const origins: Composed["origins"] = {};
  for (const name of Object.keys(COMPONENT_SECTIONS) as ComponentSectionName[]) {
    const [own, given] = [parts[name], value[name]];
    if (own === undefined && given === undefined) continue;
    if (given === undefined) value[name] = own;
    const changes = !LIST_SECTIONS.has(name) && isRecord(own) && isRecord(given) && given.use === undefined;
    if (changes) value[name] = { ...own, ...given };
    origins[name] = given === undefined ? "algorithm" : changes ? "algorithm, changed by config" : "config";
  }
  for (const name of ["trainer", "optimizer"] as const) {
    const own = name === "trainer" && algorithm?.aggregation !== undefined ? { aggregation: algorithm.aggregation } : {};
    const fragment = { ...own, ...(parts[name] as object | undefined) };
    const given = value[name];
    if (Object.keys(fragment).length === 0 || !(given === undefined || isRecord(given))) continue;
    value[name] = { ...fragment, ...given };
    origins[name] = given === undefined ? "algorithm" : "algorithm, changed by config";
  }
  return { value, origins };
}
