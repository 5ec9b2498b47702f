import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { TSchema } from "typebox";
import { schemaMistake } from "../config/compiler.js";
import { CORE_FOLDER, readJson } from "../config/installation.js";
import { type JsonSchema, publishedSchema } from "../config/json-schema.js";
import { didYouMean } from "../config/nearest.js";
import { COMPONENT_SECTIONS, hostProperties } from "../config/run-schema.js";
import { PluginError } from "../errors.js";
import { type ComponentClass, type ComponentMetadata, metadataOf } from "../extension/component.js";
import type { Manifest, ManifestComponent } from "../extension/manifest.js";
import { CONTRACT } from "../extension/names.js";
import { type AdapterDefinition, isAdapter, isPlugin, type PluginDefinition } from "../extension/plugin.js";
import { isStandardColumn, STANDARD_COLUMNS } from "../rollout/standard.js";

const DRAFT = "https://json-schema.org/draft/2020-12/schema";

/** Text of each generated file by its path relative to the package. */
export type GeneratedFiles = ReadonlyMap<string, string>;

const format = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** A TypeBox value as a schema file. */
export const schemaFile = (schema: TSchema, title: string): string =>
  format({ $schema: DRAFT, title, ...publishedSchema(schema) } satisfies JsonSchema);

interface PackageJson {
  name: string;
  version: string;
  description?: string;
  main?: string;
  exports?: string | { "."?: string | { default?: string } };
  proximal?: { manifest?: string };
}

/**
 * Manifest and option schemas of the built package in `folder`, from its code. Errors: not built, a default export that is
 * neither `definePlugin` nor `defineAdapter`, an option whose name a config section already uses.
 */
export async function generate(folder: string): Promise<GeneratedFiles> {
  const { name, version, description = "", exports, main, proximal } = readPackage(folder);
  const root = typeof exports === "string" ? exports : exports?.["."];
  const isCore = relative(CORE_FOLDER, folder) === "";
  const module = isCore
    ? "./dist/src/builtin/index.js"
    : ((typeof root === "string" ? root : root?.default) ?? main ?? "./dist/src/index.js");
  if (!existsSync(join(folder, module))) {
    throw new PluginError(`${name} is not built`, { file: join(folder, module), hint: "run the build first: npx tsc -b" });
  }
  const loaded = (await import(pathToFileURL(join(folder, module)).href)) as { default?: unknown; builtins?: readonly ComponentClass[] };
  const files = new Map<string, string>();
  const write = (file: string, schema: TSchema, title: string): string => {
    files.set(file, schemaFile(schema, title));
    return `./${file}`;
  };
  const head = { contract: CONTRACT, name, version };
  const manifest = isAdapter(loaded.default)
    ? { ...head, ...adapterManifest(loaded.default, { name, module, description }, write) }
    : { ...head, ...pluginManifest(definitionOf(loaded, name, isCore, description), module, write) };
  files.set((proximal?.manifest ?? "./manifest.json").replace(/^\.\//, ""), format(manifest));
  return files;
}

function readPackage(folder: string): PackageJson {
  const file = join(folder, "package.json");
  try {
    return readJson(file) as PackageJson;
  } catch (cause) {
    throw new PluginError("this is no package folder", { file, given: (cause as Error).message, cause });
  }
}

function definitionOf(
  loaded: { default?: unknown; builtins?: readonly ComponentClass[] },
  name: string,
  isCore: boolean,
  title: string,
): PluginDefinition {
  if (isPlugin(loaded.default)) return loaded.default;
  if (isCore) return { slug: "core", title, provenance: "see each component", components: loaded.builtins ?? [] };
  throw new PluginError(`the main module of ${name} has no plugin as its default export`, {
    accepted: "export default definePlugin({ … }) or export default defineAdapter({ … })",
  });
}

type Write = (file: string, schema: TSchema, title: string) => string;
type Body = Omit<Manifest, "contract" | "name" | "version">;

/** Where a run is reported to and what it is watched for is its user's business, no algorithm's. */
const COMPOSABLE: readonly string[] = [
  ...Object.keys(COMPONENT_SECTIONS).filter((section) => section !== "exporters" && section !== "watchdogs"),
  "trainer",
  "optimizer",
];

/** An algorithm stands for these sections of a config and no others. */
function refuseSections({ slug, algorithms = {} }: PluginDefinition): void {
  for (const [id, { compose }] of Object.entries(algorithms)) {
    const unknown = Object.keys(compose).find((section) => !COMPOSABLE.includes(section));
    if (unknown === undefined) continue;
    throw new PluginError(`algorithm "${id}" of ${slug} composes "${unknown}"`, {
      accepted: COMPOSABLE,
      hint: didYouMean(unknown, COMPOSABLE),
    });
  }
}

function pluginManifest(definition: PluginDefinition, module: string, write: Write): Body {
  refuseSections(definition);
  return {
    slug: definition.slug,
    title: definition.title,
    paper: definition.paper,
    provenance: definition.provenance,
    reconstructed: [...(definition.reconstructed ?? [])],
    components: definition.components.map((component) => componentManifest(component, module, write)),
    algorithms: (definition.algorithms ?? {}) as Manifest["algorithms"],
    adapters: [],
  };
}

function componentManifest(target: ComponentClass, module: string, write: Write): ManifestComponent {
  const meta = metadataOf(target);
  const reserved = Object.keys(hostProperties(meta.point, true));
  const taken = Object.keys(meta.options?.properties ?? {}).filter((key) => reserved.includes(key));
  if (taken.length > 0) {
    throw new PluginError(`${meta.point} "${meta.id}": the option "${taken[0]}" would hide a key of its config section`, {
      given: taken,
      hint: `other names than ${reserved.join(", ")}`,
    });
  }
  refuseUntyped(meta);
  const mistake = meta.options === undefined ? undefined : schemaMistake(publishedSchema(meta.options));
  if (mistake !== undefined) {
    throw new PluginError(`${meta.point} "${meta.id}": its options are no JSON schema: ${mistake}`, {
      accepted: "options: Type.Object({ … })",
    });
  }
  const options = meta.options ?? ({ type: "object", properties: {} } as unknown as TSchema);
  return {
    id: meta.id,
    point: meta.point,
    description: meta.description ?? "",
    class: target.name,
    module,
    schema: write(`schemas/${meta.point}-${meta.id}.schema.json`, options, `Options of the ${meta.point} "${meta.id}"`),
    reads: readsOf(meta) as ManifestComponent["reads"],
    writes: [...(meta.writes ?? [])] as ManifestComponent["writes"],
    requires: [...(meta.requires ?? [])],
    needs: [...(meta.needs ?? [])],
    provides: [...(meta.provides ?? [])],
    conventions: { ...meta.conventions },
    wraps: meta.wraps ?? false,
  };
}

/** A column named without its type must be a standard one. */
function refuseUntyped({ point, id, reads = [], writes = [] }: ComponentMetadata): void {
  for (const reference of [...reads, ...writes]) {
    const name = typeof reference === "string" ? reference : reference.name;
    if (isStandardColumn(name) || (typeof reference === "object" && "at" in reference)) continue;
    throw new PluginError(`${point} "${id}": "${name}" is no standard column`, {
      accepted: `{ name: "${name}", at: "row", dtype: "f64" }, or a standard column`,
      hint: didYouMean(name, Object.keys(STANDARD_COLUMNS)),
    });
  }
}

const readsOf = ({ point, reads }: ComponentMetadata) => [...(reads ?? (point === "gate" ? ["logp", "oldLogp", "advantages"] : []))];

function adapterManifest(adapter: AdapterDefinition, { name, module, description }: Record<string, string>, write: Write): Body {
  return {
    slug: adapter.id,
    title: description || adapter.description,
    provenance: "",
    reconstructed: [],
    components: [],
    algorithms: {},
    adapters: [
      {
        id: adapter.id,
        description: adapter.description,
        module: module!,
        modelSchema: write(`schemas/model-${adapter.id}.schema.json`, adapter.modelSchema, `Section \`model\` for ${name}`),
        engineSchema: write(`schemas/engine-${adapter.id}.schema.json`, adapter.engineSchema, `Section \`engine\` for ${name}`),
        provides: [...(adapter.provides ?? [])],
      },
    ],
  };
}

/** Schema files on disk that no longer belong to anything. */
function leftovers(folder: string, files: GeneratedFiles): string[] {
  const schemas = join(folder, "schemas");
  if (!existsSync(schemas)) return [];
  return readdirSync(schemas)
    .filter((file) => file.endsWith(".schema.json"))
    .map((file) => `schemas/${file}`)
    .filter((file) => !files.has(file));
}

/** Paths of files that differ from what `generate` gives: changed, missing or left over. */
export function outdated(folder: string, files: GeneratedFiles): string[] {
  const differs = ([file, text]: [string, string]) => !existsSync(join(folder, file)) || readFileSync(join(folder, file), "utf8") !== text;
  return [...[...files].filter(differs).map(([file]) => file), ...leftovers(folder, files)];
}

/** Writes what differs, removes what is left over, and returns the paths of both. */
export function writeGenerated(folder: string, files: GeneratedFiles): string[] {
  const changed = outdated(folder, files);
  for (const file of changed) {
    const text = files.get(file);
    const full = join(folder, file);
    if (text === undefined) {
      rmSync(full);
      continue;
    }
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, text);
  }
  return changed;
}
