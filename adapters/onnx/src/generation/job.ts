import { DataError, type DecodeRequest, type DecodeResult } from "@proximal/core";
import type { SamplingVariant } from "./sampling.js";

/** Requests as arrays that move between threads: one element a request, ragged lists as values and offsets. */
export interface DecodeJob {
  vocabularySize: number;
  /** Prompt and prefix of each request. */
  tokens: Int32Array;
  offsets: Int32Array;
  prefixLengths: Int32Array;
  keys: Uint32Array;
  maxTokens: Int32Array;
  temperature: Float64Array;
  greedy: Uint8Array;
  /** 0 = neither top-k nor top-p, else 1 … variant.candidates. */
  topK: Int32Array;
  /** 2 = off. */
  topP: Float64Array;
  minP: Float64Array;
  /** 1 = off. */
  repetitionPenalty: Float64Array;
  stops: Int32Array;
  stopOffsets: Int32Array;
  /** 1 = the host looks for stop strings between segments. */
  watched: Uint8Array;
  variant: SamplingVariant;
  /** Some request has given tokens, whose log-probs are asked for. */
  prefixes: boolean;
}

/** Responses in the order of the requests. */
export interface DecodeOutcome {
  tokens: Int32Array;
  logp: Float64Array;
  offsets: Int32Array;
  /** 1 = by a stop token or a stop string. */
  stopped: Uint8Array;
}

export interface DecodeLimits {
  vocabularySize: number;
  contextLength: number;
  /** Of requests that name none. */
  stopTokens: readonly number[];
}

function check(request: DecodeRequest, index: number, { vocabularySize, contextLength }: DecodeLimits): void {
  const refuse = (what: string, given: unknown, accepted: string) => {
    throw new DataError(`decode request ${index}: ${what}`, { given, accepted });
  };
  const { prompt, prefix, maxTokens, temperature, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 } = request;
  if (prompt.length === 0) refuse("the prompt is empty", [], "one token or more");
  for (const token of appended(prompt, prefix ?? [])) {
    if (token < 0 || token >= vocabularySize) refuse("a token is not in the vocabulary", token, `0 to ${vocabularySize - 1}`);
  }
  if (!Number.isInteger(maxTokens) || maxTokens < 1) refuse("maxTokens", maxTokens, "an integer from 1");
  if (prefix && prefix.length > maxTokens) refuse("the prefix is longer than maxTokens", prefix.length, `up to ${maxTokens}`);
  if (prompt.length + maxTokens > contextLength) {
    refuse(
      "prompt and response do not fit the model's context",
      `${prompt.length} + ${maxTokens} tokens`,
      `up to ${contextLength} together`,
    );
  }
  if (!(temperature > 0 && temperature < Number.POSITIVE_INFINITY))
    refuse("temperature", temperature, "a number above 0; greedy: true for the most likely token");
  if (!Number.isInteger(topK) || topK < 0) refuse("topK", topK, "an integer from 1, or 0 for off");
  if (!(topP > 0 && topP <= 1)) refuse("topP", topP, "above 0, up to 1 (off)");
  if (!(minP >= 0 && minP <= 1)) refuse("minP", minP, "0 (off) to 1");
  if (!(repetitionPenalty > 0 && repetitionPenalty < Number.POSITIVE_INFINITY))
    refuse("repetitionPenalty", repetitionPenalty, "a number above 0; 1 is off");
  if (request.stopStrings?.includes("")) refuse("a stop string is empty", "", "texts of one character or more");
}

/** `DataError` names the first request that cannot be decoded, and why. */
export function checkRequests(requests: readonly DecodeRequest[], limits: DecodeLimits): void {
  requests.forEach((request, index) => {
    check(request, index, limits);
  });
}

/** Sizes below are not worth a graph of their own. */
const LEAST_POSITIONS = 256;

/**
 * Positions that graphs for the requests provide for: a power of two that prompts and responses fit, so that few graphs serve
 * all requests of a run, or the model's context where that is less.
 */
export function positionsFor(requests: readonly DecodeRequest[], contextLength: number): number {
  const needed = requests.reduce((longest, { prompt, maxTokens }) => Math.max(longest, prompt.length + maxTokens), LEAST_POSITIONS);
  return Math.min(contextLength, 2 ** Math.ceil(Math.log2(needed)));
}

/** One list behind the other. */
export function appended(first: ArrayLike<number>, second: ArrayLike<number>): Int32Array<ArrayBuffer> {
  const whole = new Int32Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

/** Values and offsets of lists. */
export function flatten(lists: readonly ArrayLike<number>[]): { values: Int32Array<ArrayBuffer>; offsets: Int32Array<ArrayBuffer> } {
  const offsets = new Int32Array(lists.length + 1);
  lists.forEach((list, i) => {
    offsets[i + 1] = offsets[i]! + list.length;
  });
  const values = new Int32Array(offsets[lists.length]!);
  lists.forEach((list, i) => {
    values.set(list, offsets[i]);
  });
  return { values, offsets };
}

/** Checks the requests, and packs them. */
export function packRequests(requests: readonly DecodeRequest[], limits: DecodeLimits): DecodeJob {
  checkRequests(requests, limits);
  return packChecked(requests, limits);
}

/** Packs requests that have been checked. */
export function packChecked(requests: readonly DecodeRequest[], limits: Omit<DecodeLimits, "contextLength">): DecodeJob {
  const vocabulary = limits.vocabularySize;
  const sequences = flatten(requests.map(({ prompt, prefix }) => (prefix ? appended(prompt, prefix) : prompt)));
  const stops = flatten(requests.map(({ stopTokens }) => [...new Set(stopTokens ?? limits.stopTokens)]));
  const topP = Float64Array.from(requests, (r) => (r.topP === undefined || r.topP >= 1 || r.greedy ? 2 : r.topP));
  const topK = Int32Array.from(requests, (r, i) => (r.greedy ? 0 : r.topK ? Math.min(r.topK, vocabulary) : topP[i]! < 1 ? vocabulary : 0));
  const minP = Float64Array.from(requests, (r) => (r.greedy ? 0 : (r.minP ?? 0)));
  const repetitionPenalty = Float64Array.from(requests, (r) => r.repetitionPenalty ?? 1);
  const greedy = Uint8Array.from(requests, (r) => Number(r.greedy ?? false));
  const candidates = topK.reduce((a, b) => Math.max(a, b), 0);
  return {
    vocabularySize: vocabulary,
    tokens: sequences.values,
    offsets: sequences.offsets,
    prefixLengths: Int32Array.from(requests, ({ prefix }) => prefix?.length ?? 0),
    keys: Uint32Array.from(requests, ({ key }) => key),
    maxTokens: Int32Array.from(requests, ({ maxTokens }) => maxTokens),
    temperature: Float64Array.from(requests, ({ temperature }) => temperature),
    greedy,
    topK,
    topP,
    minP,
    repetitionPenalty,
    stops: stops.values,
    stopOffsets: stops.offsets,
    watched: Uint8Array.from(requests, ({ stopStrings = [] }) => Number(stopStrings.length > 0)),
    variant: {
      greedy: greedy.every((x) => x === 1) ? "all" : greedy.some((x) => x === 1) ? "some" : "none",
      filtered: candidates > 0 || minP.some((x) => x > 0),
      candidates,
      penalised: repetitionPenalty.some((x) => x !== 1),
    },
    prefixes: requests.some(({ prefix, prefixLogp = true }) => prefixLogp && prefix !== undefined && prefix.length > 0),
  };
}

export function unpackResults({ tokens, logp, offsets, stopped }: DecodeOutcome): DecodeResult[] {
  return Array.from(stopped, (stop, i) => ({
    tokens: tokens.slice(offsets[i], offsets[i + 1]),
    logp: logp.slice(offsets[i], offsets[i + 1]),
    finish: stop === 1 ? "stop" : "length",
  }));
}
