import { type Expr, iota, where } from "@proximal/core";
import { softmax } from "./softmax.js";

/** Which parts the sampling graph has. */
export interface SamplingVariant {
  /** Whether rows take the most likely token instead of a draw. */
  greedy: "none" | "some" | "all";
  /** Top-k, top-p or min-p hold for some row. */
  filtered: boolean;
  /** Most likely tokens that top-k and top-p look at; 0 = neither is used. */
  candidates: number;
  /** A repetition penalty holds for some row. */
  penalised: boolean;
}

/** Settings of each row, [B]. Those of parts that the variant leaves out are not read. */
export interface RowSettings {
  /** bool */
  greedy: Expr;
  /** int; 0 = this row uses neither top-k nor top-p, else at most `candidates`. */
  topK: Expr;
  /** Above 1 = off. */
  topP: Expr;
  minP: Expr;
  /** Above 0; 1 = off. */
  repetitionPenalty: Expr;
}

const count = (condition: Expr): Expr => condition.cast("float").sum(-1).cast("int");
const at = (x: Expr, index: Expr): Expr => x.gatherElements(index.expandDims(-1), -1);

/**
 * The least probability that a row keeps, [B, 1]: the topK-th largest; then, of the mass of those, the last one before the
 * sum reaches topP (Holtzman et al. 2020, 1904.09751); and minP times the largest (Nguyen et al. 2024, 2407.01082). Tokens
 * as likely as the last one kept are kept too.
 */
function threshold(probs: Expr, { candidates }: SamplingVariant, { topK, topP, minP }: RowSettings): Expr {
  const relative = probs.reduceMax(-1, true).mul(minP.expandDims(-1));
  if (candidates === 0) return relative;
  const sorted = probs.topK(candidates).values;
  const eligible = iota(candidates).less(topK.expandDims(-1));
  const within = where(eligible, sorted, 0);
  const reached = within.cumsum(-1, { exclusive: true });
  const kept = count(reached.less(within.sum(-1, true).mul(topP.expandDims(-1))).and(eligible));
  const last = at(sorted, kept.sub(1).max(0));
  return where(kept.expandDims(-1).equal(0), 0, last).max(relative);
}

/** Blocks of a vocabulary of V, about √V of about √V tokens each; the last one may be padded. */
export function blocksOf(size: number): { block: number; blocks: number } {
  const root = Math.ceil(Math.sqrt(size));
  for (let block = root; block <= 8 * root; block++) if (size % block === 0) return { block, blocks: size / block };
  return { block: root, blocks: Math.ceil(size / root) };
}

/**
 * Inverse of the cumulative distribution that `weights` [B, V] (≥ 0, not normalised) define, at `uniform` [B] in [0, 1):
 * the number of tokens with cdf ≤ u·total. In two levels, blocks and then tokens of one block, so that only √V numbers are
 * summed one after the other. A token of weight 0 is never drawn: u·total < total in float32, because u ≤ 1 − 2⁻²⁴, and
 * what is left for the chosen block is held between 0 and its sum.
 */
export function invertCdf(weights: Expr, uniform: Expr): Expr {
  const [batch, size] = weights.shape as [string, number];
  const { block, blocks } = blocksOf(size);
  const padded = block * blocks === size ? weights : weights.pad([0, 0], [0, block * blocks - size]);
  const grid = padded.reshape([batch, blocks, block]);
  const mass = grid.sum(-1);
  const cdf = mass.cumsum(-1);
  const target = cdf.slice(null, [blocks - 1, blocks]).mul(uniform.expandDims(-1));
  const chosen = count(cdf.lessEqual(target));
  const inside = grid.gatherElements(chosen.reshape([batch, 1, 1]).broadcastTo([batch, 1, block]), 1).squeeze(1);
  const inner = inside.cumsum(-1);
  const rest = target.sub(at(cdf, chosen).sub(at(mass, chosen)));
  const below = inner.slice(null, [block - 1, block]).mul(1 - 2 ** -24);
  return chosen.mul(block).add(count(inner.lessEqual(rest.max(0).min(below))));
}

/** Logits of tokens that were `seen` (bool [B, V]) divided by the penalty where positive, multiplied where negative. 1909.05858, section 4.1. */
function penalise(logits: Expr, seen: Expr, { repetitionPenalty }: RowSettings): Expr {
  const penalty = repetitionPenalty.expandDims(-1);
  return where(seen, where(logits.greater(0), logits.div(penalty), logits.mul(penalty)), logits);
}

/**
 * Draws a token for each row of `logits` [B, V], divided by the temperature, with `uniform` [B]: int [B], and its
 * log-probability [B] under their softmax before any penalty or filter, nats. `seen` bool [B, V]: tokens that a penalty holds for.
 */
export function sample(
  logits: Expr,
  uniform: Expr,
  variant: SamplingVariant,
  settings: RowSettings,
  seen?: Expr,
): { token: Expr; logp: Expr } {
  const probs = softmax(logits);
  const preferred = variant.penalised && seen !== undefined ? penalise(logits, seen, settings) : logits;
  const likely = preferred === logits ? probs : softmax(preferred);
  const drawn = () => invertCdf(variant.filtered ? where(likely.less(threshold(likely, variant, settings)), 0, likely) : likely, uniform);
  const best = () => preferred.argmax(-1);
  const token = variant.greedy === "all" ? best() : variant.greedy === "none" ? drawn() : where(settings.greedy, best(), drawn());
  return { token, logp: at(probs, token).log().squeeze(-1) };
}
