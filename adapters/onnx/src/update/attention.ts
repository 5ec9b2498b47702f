import { concat, customGradient, type Expr, iota, vectorJacobianProduct } from "@proximal/core";
import { type Attend, softmax, type TransformerConfig } from "../model/index.js";
import { type Grid, type RowInputs, rowsOf } from "./grid.js";

/** Added to scores that must not count; finite, so that a query without keys gives numbers, not NaN. */
const HIDDEN = -1e30;

/** Flat tokens laid out in the grid, heads first: [H, prompts, promptSlots, D] and [H, prompts, rowsPerPrompt, responseSlots, D]. */
interface Laid {
  prompt: Expr;
  response: Expr;
}

/**
 * Causal attention in which the rows of a prompt share its keys and values. Only attention sees the grid; the gradient
 * carries nothing through empty slots.
 */
export function sharedPromptAttention(config: TransformerConfig, grid: Grid, rows: RowInputs): Attend {
  const masks = { prompt: promptMask(grid), response: responseMask(grid, rows) };
  const lay = (x: Expr): Laid => ({
    prompt: x.gather(rows.promptSlots, 0).transpose([2, 0, 1, 3]),
    response: x.gather(rows.responseSlots, 0).transpose([3, 0, 1, 2, 4]),
  });
  const flatten = ({ prompt, response }: Laid): Expr => {
    const { prompts: P, promptSlots: L } = grid;
    const tail = [prompt.shape[0]!, config.head_dim];
    const ofPrompts = prompt.transpose([1, 2, 0, 3]).reshape([P * L, ...tail]);
    const ofResponses = response.transpose([1, 2, 3, 0, 4]).reshape([rowsOf(grid) * grid.responseSlots, ...tail]);
    return concat([ofPrompts.gather(rows.slotOfPromptToken, 0), ofResponses.gather(rows.slotOfResponseToken, 0)], 0);
  };

  return ({ q, k, v }) => {
    const laid = [q, k, v].map(lay) as [Laid, Laid, Laid];
    const seen = attend(config, grid, laid, masks);
    return customGradient(flatten(seen), [q, k, v], (g) => {
      const cotangent = lay(g);
      const seeds = [
        { output: seen.prompt, cotangent: cotangent.prompt },
        { output: seen.response, cotangent: cotangent.response },
      ];
      const parts = laid.flatMap(({ prompt, response }) => [prompt, response]);
      const gradients = vectorJacobianProduct(seeds, parts);
      return laid.map((_, i) => flatten({ prompt: gradients[2 * i]!, response: gradients[2 * i + 1]! }));
    });
  };
}

function attend(config: TransformerConfig, grid: Grid, [q, k, v]: [Laid, Laid, Laid], masks: { prompt: Expr; response: Expr }): Laid {
  const { num_attention_heads: heads, num_key_value_heads: groups, head_dim: D } = config;
  const { prompts: P, rowsPerPrompt: R, promptSlots: L, responseSlots: S } = grid;
  const n = heads / groups;
  const scale = 1 / Math.sqrt(D);
  const product = (a: Expr, b: Expr) => a.matmul(b, { transposeB: true }).mul(scale);

  const [kPrompt, vPrompt] = [k, v].map((x) => x.prompt.reshape([groups, 1, P, L, D])) as [Expr, Expr];
  const [kOwn, vOwn] = [k, v].map((x) => x.response.reshape([groups, 1, P, R, S, D])) as [Expr, Expr];

  const promptWeights = softmax(product(q.prompt.reshape([groups, n, P, L, D]), kPrompt).add(masks.prompt));
  const prompt = promptWeights.matmul(vPrompt).reshape([heads, P, L, D]);

  const overPrompt = product(q.response.reshape([groups, n, P, R * S, D]), kPrompt).reshape([groups, n, P, R, S, L]);
  const overOwn = product(q.response.reshape([groups, n, P, R, S, D]), kOwn);
  const weights = softmax(concat([overPrompt, overOwn], -1).add(masks.response));
  const all = null;
  const onPrompt = weights.slice(all, all, all, all, all, [0, L]).reshape([groups, n, P, R * S, L]);
  const onOwn = weights.slice(all, all, all, all, all, [L, null]);
  const response = onPrompt
    .matmul(vPrompt)
    .reshape([heads, P, R, S, D])
    .add(onOwn.matmul(vOwn).reshape([heads, P, R, S, D]));
  return { prompt, response };
}

/** [size, size]: 0 where the key is not after the query. */
const causal = (size: number): Expr => iota(size).expandDims(-1).less(iota(size)).cast("float").mul(HIDDEN);

/** [L, L]; prompts fill their slots from the left, so that no filled slot sees an empty one. */
const promptMask = ({ promptSlots }: Grid): Expr => causal(promptSlots);

/** [P, 1, S, L + S]: a response token sees its prompt's filled slots and the row up to itself. */
function responseMask({ prompts: P, promptSlots: L, responseSlots: S }: Grid, { promptLengths }: RowInputs): Expr {
  const filled = iota(L).less(promptLengths.expandDims(-1)); // [P, L]
  const overPrompt = filled.not().cast("float").mul(HIDDEN).reshape([P, 1, 1, L]).broadcastTo([P, 1, S, L]);
  return concat([overPrompt, causal(S).broadcastTo([P, 1, S, S])], -1);
}
