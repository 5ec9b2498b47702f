import { type Batch, lossMask, type State } from "@proximal/core";

export interface EntropyHistory extends State {
  /** Rollout phases that the history averages over. */
  phases: number;
  /** [maxTurns] mean token entropy of each turn over all phases, nats. */
  history: readonly number[];
}

/** Mean entropy over the tokens of each turn, nats; rows are turns, all of turn 0 where the batch has no column `turn`. */
export function turnEntropies(batch: Batch): number[] {
  const turn = batch.has("turn") ? batch.i32("turn") : new Int32Array(batch.rows);
  const entropy = batch.f64("oldEntropy");
  const mask = lossMask(batch);
  const turns = Array.from({ length: 1 + turn.reduce((a, b) => Math.max(a, b), -1) }, () => ({ sum: 0, tokens: 0 }));
  turn.forEach((k, row) => {
    for (let t = batch.offsets[row]!; t < batch.offsets[row + 1]!; t++) {
      if (!mask[t]) continue;
      turns[k]!.sum += entropy[t]!;
      turns[k]!.tokens++;
    }
  });
  return turns.map(({ sum, tokens }) => (tokens === 0 ? 0 : sum / tokens));
}

/** The history after one more phase: its last `maxTurns` turns, zeros on the left when it has fewer, averaged in. */
export function record({ version, phases, history }: EntropyHistory, entropies: readonly number[]): EntropyHistory {
  const missing = history.length - entropies.length;
  const average = (sum: number, turn: number): number => (sum * phases + (entropies[turn - missing] ?? 0)) / (phases + 1);
  return { version, phases: phases + 1, history: history.map(average) };
}
