import { createWriteStream, existsSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { downloadFile, type ListFileEntry, listFiles } from "@huggingface/hub";
import { CheckpointError, isHubOffline, makeFolder, UsageError } from "@proximal/core";
import { matches } from "./checksum.js";
import { type Asked, explained, messageOf, Refusals } from "./failure.js";
import { selectFiles } from "./select.js";

export interface DownloadProgress {
  file: string;
  /** Bytes of the file that are there, and that it has. */
  received: number;
  size: number;
  /** The same of all files. */
  totalReceived: number;
  totalSize: number;
}

export interface DownloadOptions {
  /** Folder to write; default `models/<name>`. */
  out?: string;
  /** Branch, tag or commit; default main. */
  revision?: string;
  /** Files by name in place of what a model needs: one of several GGUF files. */
  files?: readonly string[];
  /** Address of the Hub; default `HF_ENDPOINT`, else https://huggingface.co. */
  endpoint?: string;
  /** Access token; default `HF_TOKEN`. */
  token?: string;
  onProgress?: (progress: DownloadProgress) => void;
}

export interface Download {
  folder: string;
  /** Paths in the folder. */
  files: string[];
  /** Bytes that came over the network. */
  received: number;
}

const ID = /^[\w.-]+\/[\w.-]+$/;
const PUBLIC_HUB = "https://huggingface.co";

/**
 * Downloads a model: each file beside its place, compared with the checksum that the Hub names, then renamed. What is there
 * already is kept, and what broke off goes on where it ended.
 */
export async function downloadModel(id: string, options: DownloadOptions = {}): Promise<Download> {
  if (!ID.test(id))
    throw new UsageError("no name of a model", { given: id, accepted: "OWNER/NAME, e.g. HuggingFaceTB/SmolLM2-135M-Instruct" });
  const { files: names = [], onProgress = () => {} } = options;
  const hub = connect(id, options);
  const folder = options.out ?? join("models", id.slice(id.indexOf("/") + 1));
  const entries: ListFileEntry[] = [];
  try {
    // The library encodes the revision in addresses of files, not in those of lists.
    const revision = encodeURIComponent(hub.revision);
    for await (const entry of listFiles({ ...hub.parameters, revision, recursive: names.length > 0 })) entries.push(entry);
  } catch (cause) {
    throw explained(cause, hub, hub.refusals.last);
  }
  const selected = selectFiles(id, entries, names);
  const totalSize = selected.reduce((sum, { size }) => sum + size, 0);
  let [totalReceived, received] = [0, 0];
  for (const entry of selected) {
    const path = placeOf(folder, entry.path);
    const before = totalReceived;
    const report = (bytes: number) => {
      totalReceived = before + bytes;
      onProgress({ file: entry.path, received: bytes, size: entry.size, totalReceived, totalSize });
    };
    if (existsSync(path) && statSync(path).size === entry.size && (await matches(path, entry))) report(entry.size);
    else received += await fetchFile(path, entry, hub, report);
  }
  return { folder, files: selected.map(({ path }) => path), received };
}

/** Where a file of the Hub lies in the folder, never outside. */
function placeOf(folder: string, path: string): string {
  const place = resolve(folder, path);
  const inside = relative(resolve(folder), place);
  if (inside === "" || inside === ".." || inside.startsWith(`..${sep}`)) {
    throw new CheckpointError("the Hub names a file outside of the model's folder", { given: path });
  }
  return place;
}

/** A Hub as it is asked for one model. */
interface Hub extends Asked {
  refusals: Refusals;
  /** What the library's functions take. */
  parameters: { repo: { type: "model"; name: string }; hubUrl: string; accessToken: string | undefined; fetch: typeof fetch };
}

function connect(id: string, { revision = "main", ...given }: DownloadOptions): Hub {
  const endpoint = (given.endpoint || process.env.HF_ENDPOINT || PUBLIC_HUB).replace(/\/+$/, "");
  const token = given.token || process.env.HF_TOKEN || undefined;
  if (!/^https?:\/\/[^/]/.test(endpoint)) {
    throw new UsageError("the Hub's address is none", { path: "HF_ENDPOINT", given: endpoint, accepted: `an address like ${PUBLIC_HUB}` });
  }
  if (token !== undefined && !token.startsWith("hf_")) {
    throw new UsageError("the access token is none of the Hub", { path: "HF_TOKEN", accepted: "a token that begins with hf_" });
  }
  if (isHubOffline()) {
    throw new UsageError("HF_HUB_OFFLINE says that no Hub may be asked", {
      given: id,
      hint: "unset it, or copy the model's folder from another machine",
    });
  }
  const refusals = new Refusals();
  const parameters = { repo: { type: "model", name: id }, hubUrl: endpoint, accessToken: token, fetch: refusals.fetch } as const;
  return { id, revision, endpoint, token, refusals, parameters };
}

/** Returns the bytes that were received. */
async function fetchFile(path: string, entry: ListFileEntry, hub: Hub, report: (bytes: number) => void): Promise<number> {
  makeFolder(dirname(path));
  const partial = `${path}.partial`;
  let start = existsSync(partial) ? statSync(partial).size : 0;
  if (start > entry.size) {
    rmSync(partial);
    start = 0;
  }
  let at = start;
  report(at);
  if (entry.size === 0) writeFileSync(partial, "");
  else if (start < entry.size) {
    try {
      const blob = await downloadFile({ ...hub.parameters, revision: hub.revision, path: entry.path, xet: false });
      if (blob === null) throw new CheckpointError("the Hub lists the file and does not have it", { file: entry.path });
      const counted = new Transform({
        transform(chunk: Uint8Array, _encoding, done) {
          at += chunk.length;
          report(at);
          done(null, chunk);
        },
      });
      const body = (start === 0 ? blob : blob.slice(start)).stream();
      await pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), counted, createWriteStream(partial, { flags: "a" }));
    } catch (cause) {
      throw explained(cause, hub, hub.refusals.last, at > start ? brokenOff(path, at, entry.size, cause) : undefined);
    }
  }
  if (at < entry.size) throw brokenOff(path, at, entry.size);
  if (at > entry.size || !(await matches(partial, entry))) {
    rmSync(partial);
    throw new CheckpointError("the file that was received does not match the checksum that the Hub names", {
      file: path,
      hint: "nothing of it is kept: run the command again",
    });
  }
  renameSync(partial, path);
  return at - start;
}

const brokenOff = (file: string, received: number, size: number, cause?: unknown) =>
  new CheckpointError(`the download broke off after ${received} of ${size} bytes${cause === undefined ? "" : `: ${messageOf(cause)}`}`, {
    file,
    hint: "run the command again: it goes on from there",
    cause,
  });
