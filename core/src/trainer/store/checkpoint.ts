import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { CheckpointError } from "../../errors.js";
import { filesBelow, sha256, syncToDisk, writeDurably } from "./files.js";

const FORMAT_VERSION = 2;
const MANIFEST = "manifest.json";

/** How far the files of a run reached when the checkpoint was taken: what follows is computed again. */
export interface Offsets {
  /** Bytes of metrics.jsonl, and of events.jsonl. */
  metrics: number;
  events: number;
  /** Steps whose rollouts are written. */
  rollouts: number;
}

export interface CheckpointManifest {
  formatVersion: number;
  /** Training steps that are done. */
  step: number;
  offsets: Offsets;
  /** Package, runtime and engine, by name. */
  versions: Readonly<Record<string, string>>;
  /** Path inside the checkpoint → checksum. */
  files: Readonly<Record<string, { sha256: string; bytes: number }>>;
}

export interface Checkpoint {
  folder: string;
  manifest: CheckpointManifest;
}

const nameOf = (step: number): string => `step-${step}`;
const stepOf = (name: string): number | undefined => {
  const match = /^step-(\d+)$/.exec(name);
  return match === null ? undefined : Number(match[1]);
};

/**
 * Writes a checkpoint into `<checkpoints>/step-N`: `write` fills a folder beside it, everything goes to the disk, the manifest
 * with the checksums last, and only then does the folder get its name.
 */
export async function writeCheckpoint(
  checkpoints: string,
  head: Pick<CheckpointManifest, "step" | "offsets" | "versions">,
  write: (folder: string) => Promise<void>,
): Promise<Checkpoint> {
  const folder = join(checkpoints, nameOf(head.step));
  const draft = `${folder}.partial`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  try {
    await write(draft);
    const manifest = await seal(draft, head);
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
    syncToDisk(checkpoints);
    return { folder, manifest };
  } catch (error) {
    // A disk that is full gets its room back.
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
}

/** Forces a checkpoint's files to the disk, the manifest with their checksums last. */
async function seal(draft: string, head: Pick<CheckpointManifest, "step" | "offsets" | "versions">): Promise<CheckpointManifest> {
  const files: Record<string, { sha256: string; bytes: number }> = {};
  for (const path of await filesBelow(draft)) {
    const file = join(draft, path);
    syncToDisk(file);
    files[path] = { sha256: await sha256(file), bytes: statSync(file).size };
  }
  const manifest: CheckpointManifest = { formatVersion: FORMAT_VERSION, ...head, files };
  writeDurably(join(draft, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  syncToDisk(draft);
  return manifest;
}

/** Name of the checkpoint with the best evaluation. */
export const BEST = "best";

/** Keeps a checkpoint as `<checkpoints>/best`, whatever is deleted later. Its files take no further room where links are possible. */
export function keepAsBest(checkpoints: string, folder: string): void {
  const best = join(checkpoints, BEST);
  const draft = `${best}.partial`;
  rmSync(draft, { recursive: true, force: true });
  linkFolder(folder, draft);
  syncToDisk(draft);
  rmSync(best, { recursive: true, force: true });
  renameSync(draft, best);
  syncToDisk(checkpoints);
}

function linkFolder(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkFolder(source, target);
    else {
      try {
        linkSync(source, target);
      } catch {
        copyFileSync(source, target);
      }
    }
  }
}

/** Step of the checkpoint that is kept as the best; null when there is none. */
export function bestStep(checkpoints: string): number | null {
  try {
    return (JSON.parse(readFileSync(join(checkpoints, BEST, MANIFEST), "utf8")) as CheckpointManifest).step;
  } catch {
    return null;
  }
}

/** Reads a checkpoint and compares every file with its checksum. `CheckpointError` names what is damaged. */
export async function readCheckpoint(folder: string): Promise<Checkpoint> {
  const file = join(folder, MANIFEST);
  let manifest: CheckpointManifest;
  try {
    manifest = JSON.parse(readFileSync(file, "utf8")) as CheckpointManifest;
  } catch (cause) {
    throw new CheckpointError("the checkpoint has no readable manifest", { file, cause });
  }
  if (manifest.formatVersion !== FORMAT_VERSION) {
    throw new CheckpointError("the checkpoint has another format", {
      file,
      given: manifest.formatVersion,
      accepted: String(FORMAT_VERSION),
    });
  }
  for (const [path, { sha256: wanted, bytes }] of Object.entries(manifest.files)) {
    const part = join(folder, path);
    if (!existsSync(part)) throw new CheckpointError("a file of the checkpoint is missing", { file: part });
    const size = statSync(part).size;
    if (size !== bytes) throw new CheckpointError(`a file of the checkpoint has ${size} bytes, not ${bytes}`, { file: part });
    if ((await sha256(part)) !== wanted) throw new CheckpointError("a file of the checkpoint does not match its checksum", { file: part });
  }
  return { folder, manifest };
}

/** Folders of the checkpoints, newest first. */
export async function listCheckpoints(checkpoints: string): Promise<string[]> {
  if (!existsSync(checkpoints)) return [];
  const names = (await readdir(checkpoints)).filter((name) => stepOf(name) !== undefined);
  return names.sort((a, b) => stepOf(b)! - stepOf(a)!).map((name) => join(checkpoints, name));
}

/** The newest checkpoint that is whole; null when there is none. Damaged ones are reported and passed over. */
export async function latestCheckpoint(checkpoints: string, onDamaged: (error: CheckpointError) => void): Promise<Checkpoint | null> {
  for (const folder of await listCheckpoints(checkpoints)) {
    try {
      return await readCheckpoint(folder);
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw error;
      onDamaged(error);
    }
  }
  return null;
}

/** Deletes all but the newest `keep` checkpoints, and drafts that a crash left behind. */
export async function pruneCheckpoints(checkpoints: string, keep: number): Promise<void> {
  const old = (await listCheckpoints(checkpoints)).slice(keep);
  const drafts = (await readdir(checkpoints)).filter((name) => name.endsWith(".partial")).map((name) => join(checkpoints, name));
  for (const folder of [...old, ...drafts]) rmSync(folder, { recursive: true, force: true });
}
