import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { UsageError } from "../errors.js";

const resolveFrom = (place: string, name: string): string | undefined => {
  try {
    return createRequire(place).resolve(name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "MODULE_NOT_FOUND" || code === "ERR_PACKAGE_PATH_NOT_EXPORTED") return undefined;
    throw error;
  }
};

/** The module of a package that a command needs and this one does not depend on; found from the working directory or beside core. */
export async function optionalPackage<T>(name: string, command: string): Promise<T> {
  const file = resolveFrom(join(process.cwd(), "package.json"), name) ?? resolveFrom(import.meta.url, name);
  if (file === undefined) throw new UsageError(`\`${command}\` needs the package ${name}`, { hint: `npm i ${name}` });
  return (await import(pathToFileURL(file).href)) as T;
}
