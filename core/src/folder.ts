import { accessSync, constants, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { UsageError } from "./errors.js";

const isFolder = (path: string): boolean => existsSync(path) && statSync(path).isDirectory();

/** A path and all above it, the outermost first. */
const lineOf = (path: string): string[] => (dirname(path) === path ? [path] : [...lineOf(dirname(path)), path]);

function refusal(path: string, place: string, cause: unknown): UsageError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    EEXIST: `${place} is no folder`,
    ENOTDIR: `${place} is no folder`,
    EISDIR: `${place} is a folder`,
    EACCES: `no permission to write ${place}`,
    EPERM: `no permission to write ${place}`,
    EROFS: `${place} is on a read-only file system`,
    ENOENT: `the file system does not take ${place}`,
    ENOSPC: "no space is left on the device",
  };
  return new UsageError(`nothing can be written there: ${reasons[code ?? ""] ?? message}`, {
    file: path,
    hint: "choose another place",
    cause,
  });
}

/**
 * Makes a folder, and those above it that are missing, one by one: with `recursive`, Node 20 never returns where the file system
 * answers that a folder's parent is missing and is itself not made, as below /proc. `UsageError` where it cannot be made.
 */
export function makeFolder(path: string): void {
  for (const folder of lineOf(resolve(path))) {
    try {
      if (!isFolder(folder)) mkdirSync(folder);
    } catch (cause) {
      // Another process may have been faster.
      const { code } = cause as NodeJS.ErrnoException;
      if (code !== "EEXIST" || !isFolder(folder)) throw refusal(path, folder, cause);
    }
  }
}

/** `UsageError` where the folder, or the one that it would be made in, cannot be written. Makes nothing. */
export function requireWritable(path: string): void {
  const there = lineOf(resolve(path)).findLast((place) => existsSync(place));
  if (there === undefined) return;
  try {
    if (!isFolder(there)) throw Object.assign(new Error(), { code: "ENOTDIR" });
    accessSync(there, constants.W_OK);
  } catch (cause) {
    throw refusal(path, there, cause);
  }
}

/** Writes a file, with the folders above it. `UsageError` where it cannot be written. */
export function writeOut(file: string, text: string): void {
  makeFolder(dirname(resolve(file)));
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw refusal(file, resolve(file), cause);
  }
}
