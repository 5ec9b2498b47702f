import { concat, customGradient, type Expr, iota, vectorJacobianProduct } from "../tensor/index.js";

/** Added to scores that must not count; finite, so that a query without keys gives numbers, not NaN. */
const HIDDEN = -1e30;

/**
 * Static sizes in which attention sees flat tokens: `prompts` × `promptSlots`, and `prompts` × `rowsPerPrompt` ×
 * `responseSlots`, of which some slots are empty. Both kinds are filled from the left.
 */
export interface PromptGrid {
  prompts: number;
  rowsPerPrompt: number;
  promptSlots: number;
  responseSlots: number;
}

/** Where N = promptTokens + responseTokens flat tokens, prompts first, stand in the grid. All int. */
export interface PromptSlots {
  /** [prompts, promptSlots] flat token of each slot; empty slots name a token whose result nobody reads. */
  promptSlots: Expr;
  /** [prompts, rowsPerPrompt, responseSlots] */
  responseSlots: Expr;
  /** [prompts] filled prompt slots. */
  promptLengths: Expr;
  /** [promptTokens] and [responseTokens]: slot of each token, counted over the whole grid of its kind. */
  slotOfPromptToken: Expr;
  slotOfResponseToken: Expr;
}

export interface HeadSizes {
  /** Query heads; a multiple of `keyHeads`. */
  heads: number;
  keyHeads: number;
  headSize: number;
}

/** Flat tokens: q [N, heads, D], k and v [N, keyHeads, D]. */
export interface Heads {
  q: Expr;
  k: Expr;
  v: Expr;
}

/** Tokens in the grid, heads first: [H, prompts, promptSlots, D] and [H, prompts, rowsPerPrompt, responseSlots, D]. */
interface Laid {
  prompt: Expr;
  response: Expr;
}

/**
 * Causal attention in which the rows of a prompt share its keys and values: softmax(q·kᵀ/√D)·v [N, heads, D], where a prompt
 * token sees its prompt up to itself, and a response token sees its whole prompt and its own row up to itself. Exactly what
 * rows with repeated prompts give, gradients included. Positions are the caller's, in q and k. Prefix Grouper (2506.05433).
 */
export function sharedPromptAttention(
  sizes: HeadSizes,
  grid: PromptGrid,
  slots: PromptSlots,
  softmax: (x: Expr) => Expr = (x) => x.softmax(-1),
): (heads: Heads) => Expr {
  const masks = { prompt: causal(grid.promptSlots), response: responseMask(grid, slots) };
  const lay = (x: Expr): Laid => ({
    prompt: x.gather(slots.promptSlots, 0).transpose([2, 0, 1, 3]),
    response: x.gather(slots.responseSlots, 0).transpose([3, 0, 1, 2, 4]),
  });
  const flatten = ({ prompt, response }: Laid): Expr => {
    const { prompts: P, rowsPerPrompt: R, promptSlots: L, responseSlots: S } = grid;
    const tail = [prompt.shape[0]!, sizes.headSize];
    const ofPrompts = prompt.transpose([1, 2, 0, 3]).reshape([P * L, ...tail]);
    const ofResponses = response.transpose([1, 2, 3, 0, 4]).reshape([P * R * S, ...tail]);
    return concat([ofPrompts.gather(slots.slotOfPromptToken, 0), ofResponses.gather(slots.slotOfResponseToken, 0)], 0);
  };

  return ({ q, k, v }) => {
    const laid = [q, k, v].map(lay) as [Laid, Laid, Laid];
    const seen = attend(sizes, grid, laid, masks, softmax);
    // Each token's gradient is that of its own slot. What empty slots name has no cotangent, so they give nothing to others.
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

function attend(
  { heads, keyHeads, headSize: D }: HeadSizes,
  { prompts: P, rowsPerPrompt: R, promptSlots: L, responseSlots: S }: PromptGrid,
  [q, k, v]: [Laid, Laid, Laid],
  masks: { prompt: Expr; response: Expr },
  softmax: (x: Expr) => Expr,
): Laid {
  const n = heads / keyHeads;
  const scale = 1 / Math.sqrt(D);
  const product = (a: Expr, b: Expr) => a.matmul(b, { transposeB: true }).mul(scale);

  const [kPrompt, vPrompt] = [k, v].map((x) => x.prompt.reshape([keyHeads, 1, P, L, D])) as [Expr, Expr];
  const [kOwn, vOwn] = [k, v].map((x) => x.response.reshape([keyHeads, 1, P, R, S, D])) as [Expr, Expr];

  const promptWeights = softmax(product(q.prompt.reshape([keyHeads, n, P, L, D]), kPrompt).add(masks.prompt));
  const prompt = promptWeights.matmul(vPrompt).reshape([heads, P, L, D]);

  const overPrompt = product(q.response.reshape([keyHeads, n, P, R * S, D]), kPrompt).reshape([keyHeads, n, P, R, S, L]);
  const overOwn = product(q.response.reshape([keyHeads, n, P, R, S, D]), kOwn);
  const weights = softmax(concat([overPrompt, overOwn], -1).add(masks.response));
  const all = null;
  const onPrompt = weights.slice(all, all, all, all, all, [0, L]).reshape([keyHeads, n, P, R * S, L]);
  const onOwn = weights.slice(all, all, all, all, all, [L, null]);
  const response = onPrompt
    .matmul(vPrompt)
    .reshape([heads, P, R, S, D])
    .add(onOwn.matmul(vOwn).reshape([heads, P, R, S, D]));
  return { prompt, response };
}

/** [size, size]: 0 where the key is not after the query. */
const causal = (size: number): Expr => iota(size).expandDims(-1).less(iota(size)).cast("float").mul(HIDDEN);

/** [P, 1, S, L + S]: a response token sees its prompt's filled slots and the row up to itself. */
function responseMask({ prompts: P, promptSlots: L, responseSlots: S }: PromptGrid, { promptLengths }: PromptSlots): Expr {
  const filled = iota(L).less(promptLengths.expandDims(-1)); // [P, L]
  const overPrompt = filled.not().cast("float").mul(HIDDEN).reshape([P, 1, 1, L]).broadcastTo([P, 1, S, L]);
  return concat([overPrompt, causal(S).broadcastTo([P, 1, S, S])], -1);
}
