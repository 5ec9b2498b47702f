import { DataError, EngineError, type PolicyOutput, type ScoreOptions, type ScoreResult, type ScoreRow } from "@proximal/core";
import { scalar } from "../engine/feeds.js";
import { type GraphLibrary, numbersOf } from "../engine/library.js";
import type { EngineWorkers } from "../engine/workers.js";
import { type Policy, scoreGraph } from "./graphs.js";
import { type GridMemory, gridKey } from "./grid.js";
import { layoutRows, spread } from "./layout.js";
import { planMicroBatches } from "./microbatch.js";
import { DEFAULT_TOP_K, INVERSE_TEMPERATURE } from "./network.js";

/** Forward only needs a fraction of the memory that training needs. */
const BUDGET_FACTOR = 4;

export interface ScorerOptions {
  policy: Policy;
  /** Tokens of a training micro-batch, for these rows, when so many work at the same time. */
  microBatchTokens: (rows: readonly ScoreRow[], workers: number) => number;
  sharePrompts: boolean;
  grids: GridMemory;
}

/** Computes policy outputs of given rows, in micro-batches. */
export class Scorer {
  constructor(
    private readonly workers: EngineWorkers,
    private readonly library: GraphLibrary,
    private readonly options: ScorerOptions,
  ) {}

  async score(rows: readonly ScoreRow[], { outputs, temperature, topK, snapshot }: ScoreOptions): Promise<ScoreResult> {
    const { policy, microBatchTokens, sharePrompts, grids } = this.options;
    const { vocab_size: V, hidden_size: H } = policy.config;
    if (outputs.includes("logits")) throw new EngineError("logits of the whole vocabulary are not scored", { accepted: "topK" });
    checkRows(rows, policy);
    const offsets = new Int32Array(rows.length + 1);
    rows.forEach(({ response }, i) => {
      offsets[i + 1] = offsets[i]! + response.length;
    });
    const tokens = offsets[rows.length]!;
    const K = Math.min(topK ?? DEFAULT_TOP_K, V);
    const result: ScoreResult = {};
    for (const name of outputs) Object.assign(result, arraysOf(name, tokens, H, K));
    if (tokens === 0) return result;

    const wanted = new Set<PolicyOutput>(outputs);
    const { size: workers } = this.workers;
    const plan = planMicroBatches(rows, { tokens: BUDGET_FACTOR * microBatchTokens(rows, workers), workers });
    const parts = plan.filter((indices) => indices.some((i) => rows[i]!.response.length > 0));
    const layouts = layoutRows(
      parts.map((indices) => indices.map((i) => rows[i]!)),
      { sharePrompts, choose: (tight) => grids.choose("score", tight) },
    );
    await this.workers.share([...layouts.entries()], async ([i, layout], worker) => {
      const key = ["score", [...wanted].sort().join(), K, gridKey(layout.grid)].join(" ");
      const prepared = this.library.prepare(key, () => scoreGraph(policy, wanted, layout.grid, K));
      const values = { ...layout.feeds, [INVERSE_TEMPERATURE]: scalar(1 / temperature) };
      const results = await this.library.run(prepared, { role: "score", values, sizes: layout.sizes, snapshot, worker });
      for (const [name, value] of Object.entries(results)) {
        spread(numbersOf(value), layout, offsets, parts[i]!, result[name as keyof ScoreResult]!);
      }
    });
    return result;
  }
}

function arraysOf(name: PolicyOutput, tokens: number, H: number, K: number): ScoreResult {
  if (name === "topK") return { candidateProbs: new Float64Array(tokens * K), candidateTokens: new Int32Array(tokens * K) };
  return { [name]: new Float64Array(tokens * (name === "hidden" ? H : 1)) };
}

/** `DataError` names a row that the policy cannot take. */
export function checkRows(rows: readonly ScoreRow[], { config }: Policy): void {
  const { vocab_size: V, max_position_embeddings: context } = config;
  rows.forEach(({ prompt, response }, i) => {
    if (prompt.length === 0) throw new DataError(`row ${i} has an empty prompt: its first token has nothing to follow`);
    if (prompt.length + response.length > context) {
      throw new DataError(`row ${i} does not fit the model's context`, {
        given: `${prompt.length} + ${response.length} tokens`,
        accepted: `up to ${context} together`,
      });
    }
    for (const tokens of [prompt, response]) {
      const wrong = tokens.find((token) => token < 0 || token >= V);
      if (wrong !== undefined)
        throw new DataError(`row ${i} has a token that is not in the vocabulary`, { given: wrong, accepted: `0 to ${V - 1}` });
    }
  });
}
