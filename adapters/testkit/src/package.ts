import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  type ConformanceDocument,
  type ConformanceMap,
  compare,
  type Examples,
  type ExtensionPoint,
  generateManifest,
  isPlugin,
  metadataOf,
  outdatedFiles,
  type PluginDefinition,
  PluginError,
} from "@proximal/core";
import { type Check, type Effort, QUICK, type Work, warningsOf } from "./check.js";
import { pluginChecks } from "./plugin.js";

/** A built plugin package, loaded. */
export interface LoadedPackage {
  folder: string;
  name: string;
  plugin: PluginDefinition;
  map: ConformanceMap;
  examples: Examples;
  vectors: readonly { file: string; documents: readonly ConformanceDocument[] }[];
}

interface PackageJson {
  name?: string;
  exports?: Readonly<Record<string, string | { default?: string }>>;
}

/** Loads a plugin package. Errors: `PluginError` when it is none, is not built, or lacks its conformance map. */
export async function loadPackage(folder: string): Promise<LoadedPackage> {
  const file = join(folder, "package.json");
  if (!existsSync(file))
    throw new PluginError("this is no package folder", { file: folder, hint: "give a folder that holds a package.json" });
  const { name = folder, exports = {} } = JSON.parse(readFileSync(file, "utf8")) as PackageJson;
  const load = async (key: string): Promise<Readonly<Record<string, unknown>>> => {
    const target = exports[key];
    const path = typeof target === "string" ? target : target?.default;
    if (path === undefined) return {};
    const module = join(folder, path);
    if (!existsSync(module)) throw new PluginError(`${name} is not built`, { file: module, hint: "run its build first: npx tsc -b" });
    return (await import(pathToFileURL(module).href)) as Readonly<Record<string, unknown>>;
  };
  const { default: plugin } = await load(".");
  if (!isPlugin(plugin)) {
    throw new PluginError(`the main module of ${name} has no plugin as its default export`, {
      accepted: "export default definePlugin({ … })",
    });
  }
  const { default: map = {}, examples = {} } = await load("./conformance");
  const vectors = join(folder, "vectors");
  const files = existsSync(vectors) ? readdirSync(vectors).filter((entry) => entry.endsWith(".json")) : [];
  return {
    folder,
    name,
    plugin,
    map: map as ConformanceMap,
    examples: examples as Examples,
    vectors: files.sort().map((entry) => {
      const parsed = JSON.parse(readFileSync(join(vectors, entry), "utf8")) as ConformanceDocument | ConformanceDocument[];
      return { file: entry, documents: Array.isArray(parsed) ? parsed : [parsed] };
    }),
  };
}

/** Components that compute numbers: a method, which has equations and golden vectors. */
const METHOD: readonly ExtensionPoint[] = ["sampler", "reward", "advantage", "gate", "regularizer", "objective"];

/** Sections that the README of a method has; one of anything else has a section "Use". */
const SECTIONS: readonly [title: string, pattern: RegExp][] = [
  ["Equation (Equations, Rule, Rules)", /^## (Equations?|Rules?)\b/m],
  ["Use", /^## Use\b/m],
  ["How to tell that it works", /^## How to tell that it works\b/m],
  ["Provenance", /^## Provenance\b/m],
];

/** Checks of a package: its components', its vectors', its generated files' and its README's. */
export function packageChecks({ folder, plugin, map, examples, vectors }: LoadedPackage, effort: Effort = QUICK): Check[] {
  const isMethod = plugin.components.some((component) => METHOD.includes(metadataOf(component).point));
  const check = (promise: string, run: Work): Check => ({
    subject: "package",
    promise,
    run: async () => warningsOf(await run()),
  });
  return [
    check("manifest and option schemas agree with the code", async () => {
      const stale = outdatedFiles(folder, await generateManifest(folder));
      if (stale.length > 0) throw new Error(`${stale.join(", ")} out of date: run proximal manifest`);
    }),
    check("the README has the sections that readers look for", () => {
      const file = join(folder, "README.md");
      const text = existsSync(file) ? readFileSync(file, "utf8") : "";
      const missing = SECTIONS.filter(([title, pattern]) => (isMethod || title === "Use") && !pattern.test(text)).map(([title]) => title);
      if (missing.length > 0) throw new Error(`README.md lacks ${missing.map((title) => `"## ${title}"`).join(", ")}`);
    }),
    ...(isMethod
      ? [
          check("has golden vectors", () => {
            const cases = vectors.flatMap(({ documents }) => documents.flatMap((document) => document.cases));
            if (cases.length === 0) throw new Error("vectors/ holds no case: numbers that were computed independently of this code");
          }),
        ]
      : []),
    ...vectors.flatMap(({ file, documents }) =>
      documents.flatMap((document) => {
        const key = document.kind === undefined ? document.component : `${document.component}/${document.kind}`;
        return document.cases.map((testCase) => ({
          subject: `${file} ${key}`,
          promise: `reproduces: ${testCase.name}`,
          run: async () => {
            const run = map[key];
            if (run === undefined)
              throw new Error(`src/conformance.ts maps no "${key}"; it maps ${Object.keys(map).join(", ") || "nothing"}`);
            const different = compare(testCase.expected, await run(testCase.options ?? {}, testCase.inputs), testCase.tolerance);
            if (different !== null) {
              const { path, expected, actual } = different;
              throw new Error(`${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`);
            }
            return [];
          },
        }));
      }),
    ),
    ...pluginChecks(plugin, { examples, effort }),
  ];
}
