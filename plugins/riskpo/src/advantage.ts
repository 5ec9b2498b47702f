import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  options,
  type State,
  type Static,
  type StepContext,
  statistics,
  Type,
} from "@proximal/core";
import { type Paper, papersOf } from "./papers.js";
import { quantile, trackedQuantile, updateQuantiles } from "./quantiles.js";

const { mean, std, take } = statistics;
const EPS = 1e-6;
/** Bundles whose scores hardly differ are not divided by their std. */
const MIN_STD = 1e-3;

const oneOf = <const T extends string>(names: readonly T[], meta: { default: T; description: string }) =>
  Type.Union(
    names.map((name) => Type.Literal(name)),
    meta,
  );

const riskOptions = Type.Object({
  bundleSize: Type.Integer({ default: 5, minimum: 1, description: "Questions a bundle" }),
  levelDown: Type.Number({ default: 0.2, exclusiveMinimum: 0, exclusiveMaximum: 1, description: "Level a of the lower tail" }),
  levelUp: Type.Number({ default: 0.8, exclusiveMinimum: 0, exclusiveMaximum: 1, description: "Level b; above it no gradient" }),
  mix: Type.Number({ default: 1.5, minimum: 0, description: "Weight of the lower tail" }),
  quantileMode: oneOf(["batch", "track", "mix"], { default: "track", description: "Quantiles of the bundle, tracked ones, or their mean" }),
  quantileLr: Type.Number({ default: 0.1, exclusiveMinimum: 0, description: "Step of the tracked quantiles" }),
  creditMode: oneOf(["uniform", "sum-mean"], { default: "uniform", description: "How a paper's credit is split over its responses" }),
  naturalBaseline: Type.Boolean({ default: false, description: "Adds qDown - qUp to the middle range" }),
  scale: oneOf(["bundle", "none"], { default: "bundle", description: "Divide by the std of the bundle's scores" }),
  upperWeight: Type.Optional(
    Type.Number({ exclusiveMinimum: 0, description: "Risk seeking: weight of the upper tail instead of the lower" }),
  ),
});

type Options = Static<typeof riskOptions>;

export interface RiskState extends State {
  /** Tracked quantiles of the scores at 0.05, …, 0.95; null before the first step. */
  quantiles: number[] | null;
}

/**
 * Mixed value at risk of bundle scores S: A = (mix·g_C + g_R)/(mix + 1) with g_R = [max(0, S - q_d) - max(0, S - q_u)]/(b - a),
 * g_C = -max(0, q_d - S)/a. Ren et al. 2025 (2510.00911).
 */
function paperAdvantage(score: number, down: number, up: number, o: Options): number {
  const above = (q: number) => Math.max(0, score - q);
  const middle = (above(down) - above(up) + (o.naturalBaseline ? down - up : 0)) / (o.levelUp - o.levelDown + EPS);
  if (o.upperWeight !== undefined) return ((o.upperWeight * above(up)) / (1 - o.levelUp + EPS) + middle) / (o.upperWeight + 1);
  const lower = -Math.max(0, down - score) / (o.levelDown + EPS);
  return (o.mix * lower + middle) / (o.mix + 1);
}

@advantageEstimator({
  id: "riskpo",
  description: "Risk measure of the summed rewards of bundles of questions, credited to their responses",
  options: riskOptions,
  reads: ["rewards", { name: "bundle", optional: true }],
  writes: ["advantages"],
  conventions: { std: "sample, of the scores of the bundle", groupOfOne: "takes part in the bundle's one paper" },
  exceptions: { rowOrder: "the k-th responses to the questions of a bundle make up one paper" },
})
export class RiskAdvantage implements AdvantageEstimator<RiskState> {
  constructor(@options() private readonly o: Options) {}

  initialState(): RiskState {
    return { version: 1, quantiles: null };
  }

  /** Papers of each bundle. Without a column `bundle`, consecutive questions are bundled by `bundleSize`. */
  bundles(batch: Batch): Paper[][] {
    const bundle = batch.has("bundle") ? batch.i32("bundle") : batch.group.map((g) => Math.floor(g / this.o.bundleSize));
    return papersOf(batch, bundle);
  }

  estimate(batch: Batch, { state }: StepContext<RiskState>): EstimateResult<RiskState> {
    const advantages = new Float64Array(batch.rows);
    const bundles = this.bundles(batch);
    for (const papers of bundles) {
      const scores = papers.map((paper) => paper.score);
      const down = this.threshold(this.o.levelDown, scores, state.quantiles);
      const up = this.threshold(this.o.levelUp, scores, state.quantiles);
      const spread = scores.length < 2 ? 1 : std(scores, 1);
      const divisor = this.o.scale === "none" ? 1 : (spread < MIN_STD ? 1 : spread) + EPS;
      for (const paper of papers) this.credit(batch, paper, paperAdvantage(paper.score, down, up, this.o) / divisor, advantages);
    }
    const scores = bundles.flatMap((papers) => papers.map((paper) => paper.score));
    const quantiles = scores.length === 0 ? state.quantiles : updateQuantiles(state.quantiles, scores, this.o.quantileLr);
    const metrics = {
      scoreMean: scores.length === 0 ? 0 : mean(scores),
      quantileDown: quantiles === null ? Number.NaN : trackedQuantile(quantiles, this.o.levelDown),
      quantileUp: quantiles === null ? Number.NaN : trackedQuantile(quantiles, this.o.levelUp),
    };
    return { columns: { advantages: [...advantages] }, state: { version: 1, quantiles }, metrics };
  }

  private threshold(level: number, scores: readonly number[], tracked: readonly number[] | null): number {
    const { quantileMode } = this.o;
    if (quantileMode === "batch" || tracked === null) return quantile(scores, level);
    const estimate = trackedQuantile(tracked, level);
    return quantileMode === "track" ? estimate : (estimate + quantile(scores, level)) / 2;
  }

  private credit(batch: Batch, { rows }: Paper, value: number, into: Float64Array): void {
    if (this.o.creditMode === "uniform") {
      for (const row of rows) into[row] = value;
      return;
    }
    const rewards = batch.f64("rewards");
    const shares = rows.map((row) => rewards[row]! - mean(take(rewards, batch.groupRows[batch.group[row]!]!)));
    const total = shares.reduce((a, b) => a + b, 0);
    rows.forEach((row, i) => {
      into[row] = Math.abs(total) > EPS ? (value * shares[i]!) / total : value / rows.length;
    });
  }
}
