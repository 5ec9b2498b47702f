import { type Batch, lossMask, type State } from "@proximal/core";

export interface EntropyHistory extends State {
  /** Rollout phases that the history averages over. */
  phases: number;
  /** [maxTurns] mean token entropy of each turn over all phases, nats. */
  history: readonly number[];
}

/** Where the turns stand: in `turn` where a row is a turn, in `turnIndex` where it is an episode; null = all is turn 0. */
export const turnColumn = (from: { has(column: string): boolean }): "turn" | "turnIndex" | null =>
  (["turn", "turnIndex"] as const).find((column) => from.has(column)) ?? null;

/** Mean entropy over the tokens of each turn, nats. */
export function turnEntropies(batch: Batch): number[] {
  const column = turnColumn(batch);
  const turn = column === null ? new Int32Array(batch.rows) : batch.i32(column);
  const turnOf = column === "turnIndex" ? turn : batch.repeat(turn);
  const entropy = batch.f64("oldEntropy");
  const mask = lossMask(batch);
  const turns = Array.from({ length: 1 + turn.reduce((a, b) => Math.max(a, b), -1) }, () => ({ sum: 0, tokens: 0 }));
  turnOf.forEach((k, t) => {
    if (!mask[t]) return;
    turns[k]!.sum += entropy[t]!;
    turns[k]!.tokens++;
  });
  return turns.map(({ sum, tokens }) => (tokens === 0 ? 0 : sum / tokens));
}

/** The history after one more phase: its last `maxTurns` turns, zeros on the left when it has fewer, averaged in. */
export function record({ version, phases, history }: EntropyHistory, entropies: readonly number[]): EntropyHistory {
  const missing = history.length - entropies.length;
  const average = (sum: number, turn: number): number => (sum * phases + (entropies[turn - missing] ?? 0)) / (phases + 1);
  return { version, phases: phases + 1, history: history.map(average) };
}
