import { readdir, readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { DataError, UsageError } from "../errors.js";
import type { Inputs, Options } from "./case.js";
import { compare } from "./compare.js";
import type { ConformanceMap } from "./map.js";

export interface ConformanceCase {
  name: string;
  options?: Options;
  inputs: Inputs;
  expected: Readonly<Record<string, unknown>>;
  tolerance: number;
}

export interface ConformanceDocument {
  paper: string;
  component: string;
  kind?: string;
  cases: readonly ConformanceCase[];
}

export interface CaseOutcome {
  file: string;
  paper: string;
  component: string;
  kind?: string;
  name: string;
  passed: boolean;
  /** Why it failed: the first difference, the exception, the missing plugin. */
  reason?: string;
}

export interface ConformanceFilter {
  plugin?: string;
  component?: string;
}

/** Resolves a paper to its plugin's conformance map; null when the plugin is not installed. */
export type MapLoader = (paper: string) => Promise<ConformanceMap | null>;

/** Loads `@proximal/plugin-<paper>/conformance` as installed for `folder`. */
export function installedMaps(folder: string): MapLoader {
  const require = createRequire(join(resolve(folder), "package.json"));
  return async (paper) => {
    let path: string;
    try {
      path = require.resolve(`@proximal/plugin-${paper}/conformance`);
    } catch {
      return null;
    }
    return ((await import(pathToFileURL(path).href)) as { default: ConformanceMap }).default;
  };
}

/** All vector files under the given files and folders, sorted. */
export async function vectorFiles(paths: readonly string[]): Promise<string[]> {
  const lists = await Promise.all(
    paths.map(async (path) => {
      const found = await stat(path).catch(() => null);
      if (found === null) throw new UsageError(`there is no file or folder ${path}`);
      if (!found.isDirectory()) return [path];
      const names = await readdir(path);
      return names
        .filter((name) => name.endsWith(".json"))
        .sort()
        .map((name) => join(path, name));
    }),
  );
  return lists.flat();
}

export async function readVectors(file: string): Promise<ConformanceDocument[]> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw new DataError(`${file} is no JSON file: ${(cause as Error).message}`, { file, cause });
  }
  const documents = (Array.isArray(parsed) ? parsed : [parsed]) as ConformanceDocument[];
  for (const [i, document] of documents.entries()) {
    if (typeof document?.paper !== "string" || typeof document.component !== "string" || !Array.isArray(document.cases)) {
      throw new DataError("a conformance document has paper, component and cases", { file, path: Array.isArray(parsed) ? `/${i}` : "/" });
    }
  }
  return documents;
}

const brief = (value: unknown): string => {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

async function runCase(map: ConformanceMap, document: ConformanceDocument, testCase: ConformanceCase): Promise<string | null> {
  const key = document.kind === undefined ? document.component : `${document.component}/${document.kind}`;
  const run = map[key];
  if (run === undefined) return `the plugin maps no "${key}" (it maps ${Object.keys(map).join(", ")})`;
  try {
    const actual = await run(testCase.options ?? {}, testCase.inputs);
    const difference = compare(testCase.expected, actual, testCase.tolerance);
    return difference && `${difference.path}: expected ${brief(difference.expected)}, got ${brief(difference.actual)}`;
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

/** Runs every case of the given files and folders. */
export async function runConformance(paths: readonly string[], load: MapLoader, filter: ConformanceFilter = {}): Promise<CaseOutcome[]> {
  const outcomes: CaseOutcome[] = [];
  for (const file of await vectorFiles(paths)) {
    for (const document of await readVectors(file)) {
      const { paper, component, kind } = document;
      if (filter.plugin !== undefined && filter.plugin !== paper) continue;
      if (filter.component !== undefined && filter.component !== component) continue;
      const map = await load(paper);
      for (const testCase of document.cases) {
        const reason = map === null ? `plugin missing: npm i @proximal/plugin-${paper}` : await runCase(map, document, testCase);
        outcomes.push({
          file,
          paper,
          component,
          kind,
          name: testCase.name,
          passed: reason === null,
          ...(reason === null ? {} : { reason }),
        });
      }
    }
  }
  return outcomes;
}

/** A table a file: passed of all, a line for each failed case. */
export function conformanceTable(outcomes: readonly CaseOutcome[]): string {
  const lines: string[] = [];
  for (const file of new Set(outcomes.map((o) => o.file))) {
    const mine = outcomes.filter((o) => o.file === file);
    lines.push(file);
    const keys = new Set(mine.map((o) => (o.kind === undefined ? o.component : `${o.component}/${o.kind}`)));
    for (const key of keys) {
      const group = mine.filter((o) => (o.kind === undefined ? o.component : `${o.component}/${o.kind}`) === key);
      const passed = group.filter((o) => o.passed).length;
      lines.push(`  ${passed === group.length ? "ok  " : "FAIL"} ${key.padEnd(28)} ${passed}/${group.length}`);
      for (const outcome of group) if (!outcome.passed) lines.push(`         ${outcome.name}: ${outcome.reason}`);
    }
  }
  const passed = outcomes.filter((o) => o.passed).length;
  lines.push(`${passed} passed, ${outcomes.length - passed} failed`);
  return lines.join("\n");
}
