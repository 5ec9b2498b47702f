import { type Context, type Expr, where } from "@proximal/core";

export interface ContrastOptions {
  tau: number;
  /** null = uniform weights over the correct responses. */
  lengthTemperature: number | null;
  maxLength: number;
}

export interface Contrast {
  /** [1, 1] J, to be maximised. */
  value: Expr;
  /** [B, 1] w_i of correct, p_j of wrong responses of valid prompts, 0 of others. Constant. */
  weights: Expr;
  /** [B, 1] bool: rows of prompts with at least one correct and one wrong response. */
  valid: Expr;
}

/**
 * J = (1/Q) Σ_valid q [Σ_{i∈P_q} w_i·s_i - τ·log mean_{j∈N_q} exp(s_j/τ)],  s_i = mean_t logp_{i,t},
 *   w_i = softmax_{P_q}((1 - |o_i|/maxLength) / λ), constant
 * P_q: reward exactly 1, N_q: exactly 0; Q counts all prompts of the update. DRPO (2510.04474).
 */
export function decoupledContrast(context: Context, { tau, lengthTemperature, maxLength }: ContrastOptions): Contrast {
  const { rewards, rowMask, lengths } = context;
  const correct = rewards.equal(1).and(rowMask);
  const wrong = rewards.equal(0).and(rowMask);
  const count = (rows: Expr) => context.groupSum(rows.cast("float"));
  const [corrects, wrongs] = [count(correct), count(wrong)];
  const valid = corrects.min(wrongs).greater(0);
  const counted = (rows: Expr, x: Expr) => where(rows.and(valid), x, 0);

  const lengthReward = lengths.div(-maxLength).add(1);
  const w = softmaxAmong(context, correct, lengthTemperature === null ? lengthReward.mul(0) : lengthReward.div(lengthTemperature));
  const score = context.sequenceMean(context.logp);
  const scaled = score.div(tau);
  const p = softmaxAmong(context, wrong, scaled.stopGradient());
  const logMeanExp = logSumExpAmong(context, wrong, scaled).sub(wrongs.max(1).log());

  const reached = counted(correct, w.mul(score));
  // Every row of the prompt holds the same τ·log mean exp: each carries its share.
  const avoided = where(valid, logMeanExp.mul(tau).div(context.groupSize.max(1)), 0);
  return {
    value: context.batchSum(reached.sub(avoided)).div(context.groups),
    weights: counted(correct, w).add(counted(wrong, p)),
    valid,
  };
}

/** Largest x [B, 1] among the marked rows of the group, 0 where there is none. Constant. */
function peakAmong(context: Context, rows: Expr, x: Expr): Expr {
  const peak = context.groupMax(x.stopGradient(), rows);
  return where(peak.isFinite(), peak, 0);
}

const shiftedExp = (context: Context, rows: Expr, x: Expr): Expr =>
  where(rows, where(rows, x.sub(peakAmong(context, rows, x)), 0).exp(), 0);

/** [B, 1] softmax over the marked rows of the group; 0 elsewhere. */
function softmaxAmong(context: Context, rows: Expr, x: Expr): Expr {
  const weights = shiftedExp(context, rows, x);
  const total = context.groupSum(weights);
  return weights.div(where(total.greater(0), total, 1));
}

/** [B, 1] log Σ exp over the marked rows of the group; 0 where there is none. */
function logSumExpAmong(context: Context, rows: Expr, x: Expr): Expr {
  const total = context.groupSum(shiftedExp(context, rows, x));
  return where(total.greater(0), total, 1)
    .log()
    .add(peakAmong(context, rows, x));
}
