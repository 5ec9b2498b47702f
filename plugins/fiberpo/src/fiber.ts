import { type Context, type Expr, where } from "@proximal/core";

export interface FiberOptions {
  budgetPos: number;
  budgetNeg: number;
  logClip: number;
}

export interface Channel {
  /** [B, 1] mean deviation of the response in this direction, nats a token, >= 0. */
  deviation: Expr;
  /** [B, 1] what the gate lets through: g(deviation). */
  gated: Expr;
  /** [B, 1] 0 = passes, 1 = rolled back, 2 = zeroed. */
  regime: Expr;
}

/**
 * Aggregate gate with budget C for a response of T tokens, [B, 1]:
 *   g(x) = x (x <= C);  C - T·(x - C) (C < x < (1 + 1/T)·C);  0 beyond.
 * The middle piece falls with slope -T: an update that left the budget is pulled back. 2603.08239.
 */
function channel(deviation: Expr, budget: number, lengths: Expr): Channel {
  const over = deviation.sub(budget);
  const rollback = over.mul(lengths).neg().add(budget);
  const kept = where(rollback.greater(0), rollback, 0);
  const beyond = over.greater(0);
  const zeroed = beyond.and(rollback.lessEqual(0));
  return {
    deviation,
    gated: where(beyond, kept, deviation),
    regime: beyond.cast("float").add(zeroed.cast("float")),
  };
}

/**
 * log G of FiberPO, [B, T]: base weight of the response plus the fibre of the token.
 *   s± = mean_t max(±d_t, 0),  log w = g(s⁺; C⁺) - g(s⁻; C⁻)
 *   log f_t = l·[clip(|d_t| - s^l, ±ε) + clip(s^(-l), ±ε)],  l = +1 where d_t >= 0, else -1 (constant)
 * d = logp - oldLogp. Equals d_t when nothing saturates. 2604.03044, eqs. 1-5.
 */
export function fiberLogRatio(context: Context, o: FiberOptions): { log: Expr; pos: Channel; neg: Channel; clipped: Expr } {
  const { logRatio: d, lengths } = context;
  const rises = d.greaterEqual(0);
  const magnitude = where(rises, d, d.neg());
  const pos = channel(context.sequenceMean(where(rises, d, 0)), o.budgetPos, lengths);
  const neg = channel(context.sequenceMean(where(rises, 0, d.neg())), o.budgetNeg, lengths);
  const own = magnitude.sub(where(rises, pos.deviation, neg.deviation));
  const opposite = where(rises, neg.deviation, pos.deviation);
  const fibre = own
    .clip(-o.logClip, o.logClip)
    .add(opposite.clip(-o.logClip, o.logClip))
    .mul(where(rises, 1, -1));
  return {
    log: pos.gated.sub(neg.gated).add(fibre),
    pos,
    neg,
    clipped: own.abs().greater(o.logClip).or(opposite.greater(o.logClip)),
  };
}
