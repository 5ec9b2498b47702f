import { ConfigDocument, parseOverride } from "../config/document.js";
import type { Installation } from "../config/installation.js";
import { type ResolvedConfig, resolveDocument } from "../config/resolve.js";
import { LIST_SECTIONS } from "../config/run-schema.js";
import { discover } from "./discover.js";

export interface ResolveOptions {
  /** Overrides `a.b=c`. */
  set?: readonly string[];
  /** The process's working directory by default. */
  cwd?: string;
  /** Further folders whose installed packages count: a run folder lies anywhere, its packages are where the command is run. */
  packages?: readonly string[];
}

export interface Resolution {
  config: ResolvedConfig;
  installed: Installation;
}

/** Reads a config, finds the installed packages, and checks the one against the other. No package's code is loaded. */
export function resolveRun(source: string | object, { set = [], cwd = process.cwd(), packages = [] }: ResolveOptions = {}): Resolution {
  const document = typeof source === "string" ? ConfigDocument.read(source, cwd) : ConfigDocument.of(source, cwd);
  const overrides = set.map(parseOverride);
  const isList = ({ path }: { path: readonly (string | number)[] }) => path.length > 1 && LIST_SECTIONS.has(String(path[0]));
  for (const override of overrides.filter((o) => !isList(o))) document.set(override);
  const { plugins } = document.value;
  const installed = discover([...new Set([document.folder, cwd, ...packages])], {
    plugins: Array.isArray(plugins) ? plugins.filter((plugin) => typeof plugin === "string") : [],
    base: document.baseOf(["plugins"]),
  });
  for (const override of overrides.filter(isList)) {
    // An element of a list that the algorithm gives can be changed like one of the config's own.
    const section = String(override.path[0]);
    const own = installed.algorithms.get(String(document.value.algorithm))?.algorithm.compose as Record<string, unknown> | undefined;
    document.value[section] ??= structuredClone(own?.[section] ?? []);
    document.set(override);
  }
  return { config: resolveDocument(document, installed), installed };
}

/** A config with every name found and every default filled in. Errors: `ConfigError` and `PluginError` for all that is wrong. */
export const resolveConfig = (source: string | object, options: ResolveOptions = {}): ResolvedConfig => resolveRun(source, options).config;
