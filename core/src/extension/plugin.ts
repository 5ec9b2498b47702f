import { type ComponentClass, metadataOf } from "./component.js";

/** Version of the contract between host and plugins. */
export const CONTRACT = 1;

export interface Paper {
  title: string;
  authors?: string;
  year: number;
  /** arXiv id, e.g. "2511.20347". */
  arxiv?: string;
  url?: string;
}

/** Part of a run config that an algorithm stands for; a config replaces any of it. */
export interface Composition {
  sampler?: Readonly<Record<string, unknown>>;
  rewards?: readonly Readonly<Record<string, unknown>>[];
  advantage?: Readonly<Record<string, unknown>>;
  gate?: Readonly<Record<string, unknown>>;
  objective?: Readonly<Record<string, unknown>>;
  regularizers?: readonly Readonly<Record<string, unknown>>[];
  trainer?: Readonly<Record<string, unknown>>;
  optimizer?: Readonly<Record<string, unknown>>;
}

export interface Algorithm {
  description: string;
  /** Aggregation of terms that name none. */
  aggregation?: string;
  compose: Composition;
}

export interface PluginDefinition {
  /** Name of the package without `@proximal/plugin-`. */
  slug: string;
  /** Short name and full title of the method. */
  title: string;
  paper?: Paper;
  /** Where the formulas come from: paper, official code, other implementations. */
  provenance: string;
  /** Parts that are a reading of an abstract, not of the paper; empty when none. */
  reconstructed?: readonly string[];
  components: readonly ComponentClass[];
  /** Named compositions by id (`grpo`, `grpo@trl`). */
  algorithms?: Readonly<Record<string, Algorithm>>;
}

const PLUGIN = Symbol.for("proximal/plugin");

/** The default export of a plugin package. Checks that every component carries its metadata. */
export function definePlugin(definition: PluginDefinition): PluginDefinition {
  for (const component of definition.components) metadataOf(component);
  return Object.freeze(Object.defineProperty({ ...definition }, PLUGIN, { value: true }));
}

export const isPlugin = (value: unknown): value is PluginDefinition =>
  typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[PLUGIN] === true;
