import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { CheckpointError } from "../../errors.js";
import { filesBelow, sha256, syncToDisk, writeDurably } from "./files.js";

const FORMAT_VERSION = 1;
const MANIFEST = "manifest.json";

/** How far the files of a run reached when the checkpoint was taken: what follows is computed again. */
export interface Offsets {
  /** Bytes of metrics.jsonl. */
  metrics: number;
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
  await write(draft);
  const files: Record<string, { sha256: string; bytes: number }> = {};
  for (const path of await filesBelow(draft)) {
    const file = join(draft, path);
    syncToDisk(file);
    files[path] = { sha256: await sha256(file), bytes: statSync(file).size };
  }
  const manifest: CheckpointManifest = { formatVersion: FORMAT_VERSION, ...head, files };
  writeDurably(join(draft, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  syncToDisk(draft);
  rmSync(folder, { recursive: true, force: true });
  renameSync(draft, folder);
  syncToDisk(checkpoints);
  return { folder, manifest };
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
