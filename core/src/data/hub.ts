import { createWriteStream, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { HUB_PREFIX } from "../config/annotations.js";
import { didYouMean } from "../config/nearest.js";
import { DataError } from "../errors.js";
import { makeFolder } from "../folder.js";
import { openParquet } from "./parquet.js";
import type { RecordSource } from "./source.js";

const ENDPOINT = "https://huggingface.co";
/** Seconds for the list of files; files themselves take as long as they take. */
const LIST_SECONDS = 60;
const DEFAULT_CONFIGS = ["default", "main"];
const DEFAULT_SPLIT = "train";

/** Addresses of the Parquet files, by config and split. */
type Listing = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

export const isHub = (file: string): boolean => file.startsWith(HUB_PREFIX);

interface Place {
  repository: string;
  config?: string;
  split?: string;
}

/** `hub:owner/name`, `hub:owner/name/config`, `hub:owner/name/config/split`. */
function parsePlace(file: string): Place {
  const match = /^([\w.-]+\/[\w.-]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(file.slice(HUB_PREFIX.length));
  if (match === null) {
    throw new DataError("this names no data set of a hub", {
      given: file,
      accepted: "hub:owner/name, with /config or /config/split behind it",
    });
  }
  return { repository: match[1]!, config: match[2], split: match[3] };
}

/** HF_HUB_OFFLINE says that no hub may be asked. */
export const isHubOffline = (): boolean => /^(1|on|yes|true)$/i.test(process.env.HF_HUB_OFFLINE ?? "");

const environment = () => ({
  endpoint: (process.env.HF_ENDPOINT || ENDPOINT).replace(/\/+$/, ""),
  token: process.env.HF_TOKEN,
  cache: process.env.PROXIMAL_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "proximal"),
});

async function request(url: string, file: string, token: string | undefined, seconds?: number): Promise<Response> {
  const hint = "a hub is asked at HF_ENDPOINT with HF_TOKEN; without a network, name a local file";
  if (isHubOffline()) {
    throw new DataError("HF_HUB_OFFLINE says that no hub may be asked, and this is not in the cache", { file, given: url, hint });
  }
  const options = {
    headers: new Headers(token === undefined ? [] : [["authorization", `Bearer ${token}`]]),
    ...(seconds === undefined ? {} : { signal: AbortSignal.timeout(1000 * seconds) }),
  };
  const response = await fetch(url, options).catch((error: Error) => {
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    throw new DataError(`the hub cannot be reached: ${reason}`, { file, given: url, hint, cause: error });
  });
  if (response.ok) return response;
  const reasons: Readonly<Record<number, string>> = {
    401: "the hub asks for a token, or has no such data set",
    403: "the token gives no access to this data set",
    404: "the hub has no such data set, or no Parquet files of it",
  };
  throw new DataError(reasons[response.status] ?? `the hub answers ${response.status} ${response.statusText}`, { file, given: url, hint });
}

/** The named one, else the customary or only one. */
function choose(what: string, named: string | undefined, choices: readonly string[], usual: readonly string[], file: string): string {
  const chosen = named ?? usual.find((name) => choices.includes(name)) ?? (choices.length === 1 ? choices[0] : undefined);
  if (chosen !== undefined && choices.includes(chosen)) return chosen;
  const hint = named === undefined ? "name one: hub:owner/name/config/split" : didYouMean(named, choices);
  throw new DataError(named === undefined ? `the data set has several ${what}s` : `the data set has no ${what} "${named}"`, {
    file,
    accepted: choices,
    ...(hint === undefined ? {} : { hint }),
  });
}

/**
 * A data set of a hub, by the Parquet files that the hub makes of it. They are downloaded once into the cache folder
 * (PROXIMAL_CACHE) and read from there afterwards, also without a network. Errors: `DataError` with what the hub answers.
 */
export async function openHub(file: string, memory: number): Promise<RecordSource> {
  const place = parsePlace(file);
  const { endpoint, token, cache } = environment();
  const folder = join(cache, "hub", new URL(endpoint).host.replace(":", "-"), place.repository.replace("/", "--"));
  const listed = join(folder, "files.json");
  makeFolder(folder);
  const listing = existsSync(listed)
    ? (JSON.parse(readFileSync(listed, "utf8")) as Listing)
    : ((await (await request(`${endpoint}/api/datasets/${place.repository}/parquet`, file, token, LIST_SECONDS)).json()) as Listing);
  const config = choose("config", place.config, Object.keys(listing), DEFAULT_CONFIGS, file);
  const split = choose("split", place.split, Object.keys(listing[config]!), [DEFAULT_SPLIT], file);
  const paths: string[] = [];
  for (const [i, url] of listing[config]![split]!.entries()) {
    const path = join(folder, `${config}-${split}-${i}.parquet`.replaceAll(/[^\w.-]/g, "_"));
    if (!existsSync(path)) await download(url.replace(ENDPOINT, endpoint), path, file, token);
    paths.push(path);
  }
  writeFileSync(listed, JSON.stringify(listing));
  return openParquet(file, paths, memory);
}

async function download(url: string, path: string, file: string, token: string | undefined): Promise<void> {
  const response = await request(url, file, token);
  const partial = `${path}.${process.pid}.part`;
  try {
    await pipeline(Readable.fromWeb(response.body as ReadableStream), createWriteStream(partial));
  } catch (cause) {
    rmSync(partial, { force: true });
    throw new DataError("the download broke off", { file, given: url, hint: "run the command again: whole files are kept", cause });
  }
  renameSync(partial, path);
}
