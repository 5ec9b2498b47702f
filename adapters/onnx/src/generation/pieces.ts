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

/** Which worker decoded a response, so that what goes on from it is decoded where it is kept. */
export class Homes {
  private scope: string | undefined;
  private readonly byKey = new Map<number, number>();
  private readonly byPrompt = new Map<string, number>();

  /**
   * Pieces of which worker w takes those at places w, w + workers, …: each request where the response of its key, else one of its
   * prompt is kept, the others shared out as by `piecesOf`. A piece may be empty.
   */
  piecesOf(requests: readonly DecodeRequest[], scope: string, { workers, rows }: PieceOptions): number[][] {
    if (workers === 1) return piecesOf(requests, { workers, rows });
    if (scope !== this.scope) {
      this.byKey.clear();
      this.byPrompt.clear();
    }
    this.scope = scope;
    const prompts = requests.map(({ prompt }) => prompt.join());
    const homeOf = (i: number) => this.byKey.get(requests[i]!.key) ?? this.byPrompt.get(prompts[i]!);
    const homeless = requests.map((_, i) => i).filter((i) => homeOf(i) === undefined);
    const shared = piecesOf(
      homeless.map((i) => requests[i]!),
      { workers, rows },
    );
    for (const [p, piece] of shared.entries()) {
      for (const i of piece.map((k) => homeless[k]!)) {
        this.byKey.set(requests[i]!.key, p % workers);
        if (!this.byPrompt.has(prompts[i]!)) this.byPrompt.set(prompts[i]!, p % workers);
      }
    }
    const own = Array.from({ length: workers }, (_, worker) => requests.map((_, i) => i).filter((i) => homeOf(i) === worker));
    const most = Math.max(1, Math.floor(rows / workers));
    const rounds = Math.ceil(Math.max(...own.map((list) => list.length)) / most);
    return Array.from({ length: rounds * workers }, (_, place) => {
      const round = Math.floor(place / workers);
      return own[place % workers]!.slice(round * most, (round + 1) * most);
    });
  }
}
