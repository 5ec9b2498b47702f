import { createWriteStream, existsSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { downloadFile, HubApiError, type ListFileEntry, listFiles } from "@huggingface/hub";
import { CheckpointError, UsageError } from "@proximal/core";
import { matches } from "./checksum.js";
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
  const { revision = "main", files: names = [], onProgress = () => {} } = options;
  const hub = {
    repo: { type: "model", name: id } as const,
    revision,
    hubUrl: (options.endpoint || process.env.HF_ENDPOINT || PUBLIC_HUB).replace(/\/+$/, ""),
    accessToken: options.token || process.env.HF_TOKEN || undefined,
  };
  const folder = options.out ?? join("models", id.slice(id.indexOf("/") + 1));
  const entries: ListFileEntry[] = [];
  try {
    for await (const entry of listFiles({ ...hub, recursive: names.length > 0 })) entries.push(entry);
  } catch (cause) {
    throw explained(cause, id, hub.hubUrl);
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
    else received += await fetchFile(path, entry, hub, id, report);
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

interface Hub {
  repo: { type: "model"; name: string };
  revision: string;
  hubUrl: string;
  accessToken: string | undefined;
}

/** Returns the bytes that were received. */
async function fetchFile(path: string, entry: ListFileEntry, hub: Hub, id: string, report: (bytes: number) => void): Promise<number> {
  mkdirSync(dirname(path), { recursive: true });
  const partial = `${path}.partial`;
  let start = existsSync(partial) ? statSync(partial).size : 0;
  if (start > entry.size) {
    rmSync(partial);
    start = 0;
  }
  let at = start;
  report(at);
  if (start < entry.size || entry.size === 0) {
    try {
      const blob = await downloadFile({ ...hub, path: entry.path, xet: false });
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
      throw explained(cause, id, hub.hubUrl, brokenOff(path, at, entry.size));
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

const brokenOff = (file: string, received: number, size: number) =>
  new CheckpointError(`the download broke off after ${received} of ${size} bytes`, {
    file,
    hint: "run the command again: it goes on from there",
  });

/** A failure of the network or the Hub in the user's words. */
function explained(cause: unknown, id: string, endpoint: string, otherwise?: CheckpointError): Error {
  if (cause instanceof CheckpointError) return cause;
  if (cause instanceof HubApiError) {
    const { statusCode } = cause;
    if (statusCode === 401 || statusCode === 403 || statusCode === 404) {
      return new CheckpointError(
        statusCode === 404 ? "the Hub has no such model or revision" : "the Hub does not give this model to everyone",
        {
          given: id,
          hint:
            statusCode === 404
              ? `look it up at ${endpoint}; a model of your own needs a token in HF_TOKEN`
              : "accept its conditions on its page, and put an access token into HF_TOKEN",
          cause,
        },
      );
    }
    return new CheckpointError(`the Hub answers with status ${statusCode}`, { given: id, hint: "try again later", cause });
  }
  if (otherwise !== undefined) return otherwise;
  const { message } = (cause as Error).cause instanceof Error ? ((cause as Error).cause as Error) : (cause as Error);
  return new CheckpointError(`the Hub cannot be reached: ${message}`, {
    given: endpoint,
    hint: "set HF_ENDPOINT to a mirror, or copy the model's folder from another machine",
    cause,
  });
}
