import { existsSync, readdirSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { coreSchema } from "../config/core-schema.js";
import { CORE_FOLDER, Installation, type InstalledPackage, readJson } from "../config/installation.js";
import { formatPath } from "../config/path.js";
import { validate } from "../config/validate.js";
import { PluginError } from "../errors.js";
import type { Manifest } from "../extension/manifest.js";
import { CONTRACT } from "../extension/names.js";

interface PackageJson {
  name?: string;
  version?: string;
  proximal?: { manifest?: string };
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

export interface DiscoverOptions {
  /** Further packages: names, or folders (absolute, or starting with "."). */
  plugins?: readonly string[];
  /** Folder that relative plugin folders start from; the first start folder by default. */
  base?: string;
}

/**
 * The installed packages that carry a Proximal manifest, as seen from `starts` (nearest first) and everything above them, and
 * this package itself. Only JSON is read. Errors: a listed plugin that is missing, an unreadable manifest, another contract
 * version, an id that two packages claim.
 */
export function discover(starts: readonly string[], { plugins = [], base = starts[0] ?? "." }: DiscoverOptions = {}): Installation {
  const found = new Map<string, InstalledPackage>();
  const add = (folder: string): boolean => {
    const installed = readPackage(folder);
    // The nearest of several installed versions counts, as it does for Node's own resolution.
    if (installed !== undefined && !found.has(installed.manifest.name)) found.set(installed.manifest.name, installed);
    return installed !== undefined;
  };
  const searched = [...new Set(starts.map((start) => resolve(start)))];
  add(CORE_FOLDER);
  for (const plugin of plugins) {
    const folder = plugin.startsWith(".") || isAbsolute(plugin) ? resolve(base, plugin) : findPackage(plugin, searched);
    if (folder === undefined || !existsSync(join(folder, "package.json"))) {
      throw new PluginError(`the plugin "${plugin}" is not installed`, {
        path: "plugins",
        ...(folder === undefined ? { searched, hint: `npm i ${plugin}` } : { hint: `there is no package in ${folder}` }),
      });
    }
    if (!add(folder)) {
      throw new PluginError(`the package "${plugin}" is no Proximal plugin: its package.json names no manifest`, {
        file: join(folder, "package.json"),
        accepted: `"proximal": { "manifest": "./manifest.json" }`,
      });
    }
  }
  for (const folder of new Set(searched.flatMap(candidates))) add(folder);
  return new Installation([...found.values()], searched);
}

/** Folders from `start` up to the root. */
export function upwards(start: string): string[] {
  const folder = resolve(start);
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...upwards(parent)];
}

const findPackage = (name: string, starts: readonly string[]): string | undefined =>
  starts
    .flatMap(upwards)
    .map((folder) => join(folder, "node_modules", name))
    .find((folder) => existsSync(join(folder, "package.json")));

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
};

/** Package folders that may hold a plugin: `@proximal/*`, `proximal-plugin-*`, and what the nearest package.json depends on. */
function candidates(start: string): string[] {
  const folders = upwards(start);
  const byName = folders.flatMap((folder) => {
    const modules = join(folder, "node_modules");
    return list(modules).flatMap((entry) => {
      if (entry === "@proximal") return list(join(modules, entry)).map((name) => join(modules, entry, name));
      if (entry.startsWith("@")) {
        return list(join(modules, entry))
          .filter((name) => name.startsWith("proximal-plugin-"))
          .map((name) => join(modules, entry, name));
      }
      return entry.startsWith("proximal-plugin-") ? [join(modules, entry)] : [];
    });
  });
  const home = folders.find((folder) => existsSync(join(folder, "package.json")));
  if (home === undefined) return byName;
  const { dependencies, devDependencies, peerDependencies } = readPackageJson(home);
  const depended = Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies }).flatMap(
    (name) => findPackage(name, [home]) ?? [],
  );
  return [...byName, ...depended, home];
}

function readPackageJson(folder: string): PackageJson {
  try {
    return readJson(join(folder, "package.json")) as PackageJson;
  } catch {
    return {};
  }
}

/** The manifest of the package in `folder`; undefined when the package offers none. */
function readPackage(folder: string): InstalledPackage | undefined {
  const { name = folder, proximal } = readPackageJson(folder);
  if (proximal?.manifest === undefined) return undefined;
  const real = realpathSync(folder);
  const file = join(real, proximal.manifest);
  let manifest: Manifest;
  try {
    manifest = readJson(file) as Manifest;
  } catch (cause) {
    throw new PluginError(`the manifest of ${name} cannot be read`, {
      file,
      given: (cause as Error).message,
      hint: `build the package, or install it again: npm i ${name}`,
      cause,
    });
  }
  if (manifest?.contract !== CONTRACT) {
    const host = (readPackageJson(CORE_FOLDER) as { version: string }).version;
    throw new PluginError(
      `${name} is written for contract ${manifest?.contract}, this host (@proximal/core ${host}) for contract ${CONTRACT}`,
      {
        file,
        hint: `install matching versions: npm i ${name}@latest @proximal/core@latest`,
      },
    );
  }
  const mistake = validate(coreSchema("manifest"), manifest)[0];
  if (mistake !== undefined) {
    throw new PluginError(`the manifest of ${name} is not valid: ${mistake.message}`, {
      file,
      path: formatPath(mistake.path),
      given: mistake.given,
      accepted: mistake.accepted,
    });
  }
  return { manifest, folder: real };
}
