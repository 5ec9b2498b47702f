import type { Context, Expr } from "@proximal/core";

export interface DomainOptions {
  logClipDomain: number;
  logClipGroup: number;
  logClipTrajectory: number;
  logClip: number;
}

/**
 * log G of FiberPO-Domain, [B, T]: every level keeps its own half-width of the log-ratio d = logp - oldLogp, nats.
 *   log G = C_domain(μ_D) + C_group(μ_g - μ_D) + C_traj(μ_i - μ_g) + C_fibre(d_t - μ_i),  C_x(y) = clip(y, ±x)
 * μ_i = mean of d over the response's tokens, μ_g over the group's non-empty responses, μ_D over the domain's groups.
 * A reading of 2603.08239.
 */
export function domainLogRatio(context: Context, o: DomainOptions): { log: Expr; clipped: Expr } {
  const { logRatio: d, rowMask } = context;
  const response = context.sequenceMean(d);
  const filled = rowMask.cast("float");
  const members = context.groupSum(filled).max(1);
  const group = context.groupSum(response).div(members);
  // Shares of a group's rows sum to 1, so that every group counts once in its domain.
  const share = filled.div(members);
  const domain = overDomain(context, group.mul(share)).div(atLeastOne(overDomain(context, share)));
  const levels: [deviation: Expr, halfWidth: number][] = [
    [domain, o.logClipDomain],
    [group.sub(domain), o.logClipGroup],
    [response.sub(group), o.logClipTrajectory],
    [d.sub(response), o.logClip],
  ];
  return {
    log: levels.map(([x, width]) => x.clip(-width, width)).reduce((a, b) => a.add(b)),
    clipped: levels.map(([x, width]) => x.abs().greater(width)).reduce((a, b) => a.or(b)),
  };
}

/** Sum over the rows of the domain; without the column the batch is one domain. */
const overDomain = (context: Context, x: Expr): Expr => (context.has("domain") ? context.sumBy("domain", x) : context.batchSum(x));

/** A domain's groups are counted as sums of shares: a whole number but for rounding, 0 where all its responses are empty. */
const atLeastOne = (count: Expr): Expr => count.max(1);
