import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { nearest } from "../../config/nearest.js";
import { UsageError } from "../../errors.js";
import { discover } from "../../registry/discover.js";

export interface CheckFlags {
  full?: boolean;
  json?: boolean;
}

/** What `@proximal/testkit` gives to the command line. */
interface Testkit {
  checkFolder(folder: string, flags: CheckFlags): Promise<boolean>;
}

/** `proximal check`: everything that a plugin package and its components promise. */
export async function checkCommand(target: string, flags: CheckFlags): Promise<void> {
  const folder = folderOf(target);
  const { checkFolder } = await testkit(folder);
  if (!(await checkFolder(folder, flags))) process.exitCode = 1;
}

/** A folder as given, or that of an installed package by slug or name. */
function folderOf(target: string): string {
  if (existsSync(resolve(target, "package.json"))) return resolve(target);
  const { packages } = discover([process.cwd()]);
  const found = packages.find(({ manifest }) => manifest.slug === target || manifest.name === target);
  if (found !== undefined) return found.folder;
  const known = packages.flatMap(({ manifest }) => [manifest.slug, manifest.name]);
  const near = nearest(target, known);
  throw new UsageError(`"${target}" is neither a package folder nor an installed plugin`, {
    hint: near === undefined ? "give the folder of a built plugin package" : `did you mean "${near}"?`,
  });
}

async function testkit(folder: string): Promise<Testkit> {
  for (const start of [process.cwd(), folder]) {
    try {
      const file = createRequire(resolve(start, "package.json")).resolve("@proximal/testkit");
      return (await import(pathToFileURL(file).href)) as Testkit;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  throw new UsageError("the test kit is not installed", { hint: "npm i -D @proximal/testkit" });
}
