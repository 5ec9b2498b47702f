import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PluginError } from "../errors.js";
import type { Manifest, ManifestAdapter, ManifestAlgorithm, ManifestComponent } from "../extension/manifest.js";
import type { ExtensionPoint } from "../extension/names.js";
import type { JsonSchema } from "./json-schema.js";

/** Folder of this package. */
export const CORE_FOLDER = fileURLToPath(new URL("../../../", import.meta.url));

export interface InstalledPackage {
  manifest: Manifest;
  folder: string;
}

export interface InstalledComponent {
  package: InstalledPackage;
  component: ManifestComponent;
}

export interface InstalledAlgorithm {
  id: string;
  package: InstalledPackage;
  algorithm: ManifestAlgorithm;
}

export interface InstalledAdapter {
  package: InstalledPackage;
  adapter: ManifestAdapter;
}

export const readJson = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"));

/** Everything that the installed packages offer, from their manifests alone. Errors: an id that two packages claim. */
export class Installation {
  private readonly components = new Map<string, InstalledComponent>();
  readonly algorithms = new Map<string, InstalledAlgorithm>();
  readonly adapters = new Map<string, InstalledAdapter>();
  private readonly schemas = new Map<string, JsonSchema>();

  constructor(
    readonly packages: readonly InstalledPackage[],
    /** Folders that packages were looked for in, and above; the nearest first. */
    readonly searched: readonly string[] = [],
  ) {
    for (const owner of packages) {
      const { components, algorithms, adapters } = owner.manifest;
      for (const component of components) claim(this.components, `${component.point} "${component.id}"`, { package: owner, component });
      for (const [id, algorithm] of Object.entries(algorithms)) {
        claim(this.algorithms, id, { id, package: owner, algorithm }, `algorithm "${id}"`);
      }
      for (const adapter of adapters) claim(this.adapters, adapter.id, { package: owner, adapter }, `engine "${adapter.id}"`);
    }
  }

  component(point: ExtensionPoint, id: string): InstalledComponent | undefined {
    return this.components.get(`${point} "${id}"`);
  }

  /** Components of a point (of all points when left out), in order of their packages. */
  componentsOf(point?: ExtensionPoint): InstalledComponent[] {
    return [...this.components.values()].filter(({ component }) => point === undefined || component.point === point);
  }

  /** A schema file of a package; read once. */
  schema(owner: InstalledPackage, file: string): JsonSchema {
    const full = join(owner.folder, file);
    const known = this.schemas.get(full);
    if (known !== undefined) return known;
    try {
      const schema = readJson(full) as JsonSchema;
      this.schemas.set(full, schema);
      return schema;
    } catch (cause) {
      throw new PluginError(`${owner.manifest.name} ${owner.manifest.version}: cannot read the schema that its manifest names`, {
        file: full,
        given: (cause as Error).message,
        hint: `install it again: npm i ${owner.manifest.name}`,
        cause,
      });
    }
  }
}

function claim<T extends { package: InstalledPackage }>(map: Map<string, T>, key: string, value: T, what: string = key): void {
  const other = map.get(key);
  if (other !== undefined) {
    const [a, b] = [other.package, value.package];
    throw new PluginError(`${what} is claimed by two packages: ${a.manifest.name} (${a.folder}) and ${b.manifest.name} (${b.folder})`, {
      hint: "uninstall one of them",
    });
  }
  map.set(key, value);
}
