import type { TObject, TSchema } from "typebox";
import type { PolicyAdapter } from "../policy/index.js";
import { type ComponentClass, metadataOf } from "./component.js";

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
  environment?: Readonly<Record<string, unknown>>;
  sampler?: Readonly<Record<string, unknown>>;
  rewards?: readonly Readonly<Record<string, unknown>>[];
  advantage?: Readonly<Record<string, unknown>>;
  gate?: Readonly<Record<string, unknown>>;
  objective?: Readonly<Record<string, unknown>>;
  regularizers?: readonly Readonly<Record<string, unknown>>[];
  judge?: Readonly<Record<string, unknown>>;
  embed?: Readonly<Record<string, unknown>>;
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

/** What an adapter package is: an engine that opens policies from the `model` and `engine` sections of a config. */
export interface AdapterDefinition extends PolicyAdapter {
  /** `engine.use` in configs. */
  id: string;
  /** One sentence: where it runs what. */
  description: string;
  /** The config's `model` section: an object, or a union of objects. Strings of `format: "path"` are made absolute before they arrive. */
  modelSchema: TSchema;
  /** The config's `engine` section without `use`. */
  engineSchema: TObject;
  /** Properties that components can demand. */
  provides?: readonly string[];
  /**
   * The `model` section of a new, random model of the same family and with the same tokenizer, for dry runs: "tiny" to see that
   * everything works, "small" to measure how fast this machine computes.
   */
  miniature?(model: unknown, size: "tiny" | "small"): Promise<unknown>;
  /** Parameters that the `model` section stands for, without reading their values: all, and those that are trained. */
  parameters?(model: unknown): Promise<{ all: number; trained: number }>;
}

const ADAPTER = Symbol.for("proximal/adapter");

/** The default export of an adapter package. */
export const defineAdapter = (definition: AdapterDefinition): AdapterDefinition =>
  Object.freeze(Object.defineProperty({ ...definition }, ADAPTER, { value: true }));

export const isAdapter = (value: unknown): value is AdapterDefinition =>
  typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[ADAPTER] === true;
