import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { CORE_FOLDER, type InstalledAdapter, type InstalledComponent, type InstalledPackage } from "../config/installation.js";
import { PluginError, ProximalError } from "../errors.js";
import { type ComponentClass, metadataOf } from "../extension/component.js";
import { type AdapterDefinition, isAdapter, isPlugin } from "../extension/plugin.js";

/** Packages of which one process may hold one copy only: identities and metadata live in them. */
const SINGLE = ["@proximal/core", "reflect-metadata"] as const;

const resolveFrom = (folder: string, name: string): string | undefined => {
  try {
    return realpathSync(createRequire(join(folder, "package.json")).resolve(name));
  } catch {
    return undefined;
  }
};

/** Refuses a package that would load a second copy of core or of reflect-metadata. */
function refuseSecondCopy({ folder, manifest }: InstalledPackage): void {
  for (const name of SINGLE) {
    const own = resolveFrom(CORE_FOLDER, name);
    const other = resolveFrom(folder, name);
    if (other === undefined || own === undefined || other === own) continue;
    throw new PluginError(`${manifest.name} would load a second copy of ${name}`, {
      given: other,
      accepted: own,
      hint: `make it a peer dependency of ${manifest.name}, reinstall (npm dedupe), and run the project's own command: npx proximal`,
    });
  }
}

const isInside = (folder: string): boolean => relative(CORE_FOLDER, folder) === "";

async function importModule(owner: InstalledPackage, module: string): Promise<Readonly<Record<string, unknown>>> {
  if (!isInside(owner.folder)) refuseSecondCopy(owner);
  const { name, version } = owner.manifest;
  const file = join(owner.folder, module);
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    // A component that is refused says itself what is wrong with it.
    if (cause instanceof ProximalError) throw cause;
    throw new PluginError(`${name} ${version} cannot be loaded: ${(cause as Error).message}`, {
      file,
      hint: `install it again: npm i ${name}`,
      cause,
    });
  }
}

const staleManifest = (owner: InstalledPackage, what: string, module: string): PluginError =>
  new PluginError(`${owner.manifest.name} ${owner.manifest.version}: its manifest names ${what}, its code has none`, {
    file: join(owner.folder, module),
    hint: "build the package again",
  });

/** The class of a component. Errors: a package that cannot be loaded, a second copy of core, a manifest that is out of date. */
export async function loadComponent({ package: owner, component }: InstalledComponent): Promise<ComponentClass> {
  const loaded = await importModule(owner, component.module);
  const classes = isPlugin(loaded.default) ? loaded.default.components : ((loaded.builtins ?? []) as readonly ComponentClass[]);
  const found = classes.find((target) => {
    const { point, id } = metadataOf(target);
    return point === component.point && id === component.id;
  });
  if (found === undefined) throw staleManifest(owner, `the ${component.point} "${component.id}"`, component.module);
  return found;
}

/** The code of an engine. Errors: as `loadComponent`. */
export async function loadAdapter({ package: owner, adapter }: InstalledAdapter): Promise<AdapterDefinition> {
  const loaded = await importModule(owner, adapter.module);
  if (!isAdapter(loaded.default)) throw staleManifest(owner, `the engine "${adapter.id}"`, adapter.module);
  return loaded.default;
}
