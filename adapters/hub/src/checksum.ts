import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { ListFileEntry } from "@huggingface/hub";

/** Whether a file has the content that the Hub names: SHA-256 of large files, Git's SHA-1 of small ones. */
export async function matches(path: string, { size, oid, lfs }: ListFileEntry): Promise<boolean> {
  const hash = createHash(lfs === undefined ? "sha1" : "sha256");
  if (lfs === undefined) hash.update(`blob ${size}\0`);
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex") === (lfs?.oid ?? oid);
}
