import type { DecodeRequest } from "@proximal/core";
import { indicesBy } from "../indices.js";

export interface PieceOptions {
  /** Who decodes at the same time. */
  workers: number;
  /** Responses that are decoded side by side, by all together. */
  rows: number;
}

/**
 * Requests in pieces of about equally many tokens, as many for each worker, each of up to its share of `rows`: their indices.
 * Equal prompts stay together but where a piece ends. Everything in one piece for one worker.
 */
export function piecesOf(requests: readonly DecodeRequest[], { workers, rows }: PieceOptions): number[][] {
  if (workers === 1) return [requests.map((_, i) => i)];
  const ordered = indicesBy(requests, ({ prompt }) => prompt.join()).flat();
  const total = ordered.reduce((sum, i) => sum + requests[i]!.maxTokens, 0);
  const count = Math.min(requests.length, workers * Math.ceil(requests.length / rows));
  const pieces: number[][] = Array.from({ length: count }, () => []);
  let before = 0;
  for (const i of ordered) {
    const { maxTokens } = requests[i]!;
    pieces[Math.floor(((before + maxTokens / 2) * count) / total)]!.push(i);
    before += maxTokens;
  }
  return pieces.filter((piece) => piece.length > 0);
}
