import {
  concat,
  customGradient,
  EngineError,
  type Expr,
  input,
  type ObjectiveDims,
  type PolicyLeaves,
  type PolicyOutput,
} from "@proximal/core";
import { arrangeWeights, type LoraOptions, linear, logits, ropeTables, type TransformerConfig, transformer } from "../model/index.js";
import { trainingAttention } from "./attention.js";
import { type Grid, PROMPT_TOKENS, type RowInputs, rowInputs, rowsOf } from "./grid.js";
import { distribution, tokenStatistics } from "./head.js";

export interface NetworkOptions {
  config: TransformerConfig;
  parameters: ReadonlyMap<string, Expr>;
  lora?: LoraOptions;
  grid: Grid;
  /** What will be asked for. */
  outputs: ReadonlySet<PolicyOutput>;
  /** K of the topK output. */
  topK?: number;
  recompute?: boolean;
  /** Operators of the runtime that have no float64 kernel and that the evaluator does not know. */
  operators?: boolean;
}

/** Policy outputs of every response token. */
export interface TokenOutputs {
  /** [M] */
  logp: Expr;
  entropy?: Expr;
  values?: Expr;
  /** [M, H] */
  hidden?: Expr;
  /** [M, K] */
  topK?: { probs: Expr; tokens: Expr };
  /** [M, V], divided by the temperature */
  logits?: Expr;
}

export interface Network {
  rows: RowInputs;
  tokens: TokenOutputs;
  /** The same as the objective sees them: [B, T, …]. */
  leaves: PolicyLeaves;
  dims: ObjectiveDims;
}

/** Candidates a token when nobody names a number. */
export const DEFAULT_TOP_K = 20;

/** Feed: 1 / temperature, float []. */
export const INVERSE_TEMPERATURE = "inverseTemperature";

/** The policy network over the rows of one micro-batch, from the parameters to what the objective reads. */
export function buildNetwork({
  config,
  parameters,
  lora,
  grid,
  outputs,
  topK = DEFAULT_TOP_K,
  recompute = false,
  operators = false,
}: NetworkOptions): Network {
  const rows = rowInputs(grid);
  const K = Math.min(topK, config.vocab_size);
  const weights = arrangeWeights(config, parameters, lora);
  const ids = concat([rows.promptTokens, rows.previousTokens], 0);
  const positions = concat([rows.promptPositions, rows.responsePositions], 0);
  const tables = ropeTables(config, positions, grid.promptSlots + grid.responseSlots, { operator: operators });
  const attention = trainingAttention(config, grid, rows);
  const onResponse = (x: Expr) => x.slice([PROMPT_TOKENS, null]);
  const hidden = transformer(config, weights, ids, tables, attention, { recompute, select: onResponse });

  const z = logits(hidden.mul(input(INVERSE_TEMPERATURE, [])), weights);
  const next = distribution(z);
  const tokens: TokenOutputs = tokenStatistics(next, rows.targets, outputs.has("entropy"));
  if (outputs.has("hidden")) tokens.hidden = hidden;
  if (outputs.has("logits")) tokens.logits = z;
  if (outputs.has("values")) {
    if (weights.value === undefined) throw new EngineError("the policy has no value head", { hint: "open it with valueHead: true" });
    tokens.values = linear(hidden, weights.value).squeeze(-1);
  }
  if (outputs.has("topK")) {
    const { values, indices } = z.topK(K);
    tokens.topK = { probs: next.logProbability(values).exp().stopGradient(), tokens: indices };
  }
  const dims = { B: rowsOf(grid), T: grid.responseSlots, V: config.vocab_size, H: config.hidden_size, K };
  return { rows, tokens, leaves: leavesOf(tokens, rows), dims };
}

/** Tokens at their places in [B, T]; places without a token repeat one and pass no gradient. */
function place(x: Expr, { tokenAt, positionOf }: RowInputs): Expr {
  const size = (tokenAt.shape as number[]).reduce((a, b) => a * b, 1);
  const placed = x.gather(tokenAt, 0);
  if (x.dtype !== "float") return placed;
  return customGradient(placed, [x], (g) => [g.reshape([size, ...x.shape.slice(1)]).gather(positionOf, 0)]);
}

function leavesOf(tokens: TokenOutputs, rows: RowInputs): PolicyLeaves {
  const leaf = (name: Exclude<keyof TokenOutputs, "topK">) => () => {
    const value = tokens[name];
    if (value === undefined) throw new EngineError(`the objective reads ${name}, which its program did not declare`);
    return place(value, rows);
  };
  return {
    logp: leaf("logp"),
    entropy: leaf("entropy"),
    values: leaf("values"),
    hidden: leaf("hidden"),
    logits: leaf("logits"),
    topK: () => {
      if (tokens.topK === undefined) throw new EngineError("the objective reads topK, which its program did not declare");
      return { probs: place(tokens.topK.probs, rows), tokens: place(tokens.topK.tokens, rows) };
    },
  };
}
