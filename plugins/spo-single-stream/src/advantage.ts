import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  DataError,
  type EstimateResult,
  options,
  type Services,
  type Static,
  type StepContext,
  statistics,
  Type,
} from "@proximal/core";
import { initialState, type SpoState, STATE, trackerOf } from "./state.js";
import { divergence, type Forgetting, forgettingFactor, updated, value } from "./tracker.js";

const { constant, mean, std } = statistics;

export const spoOptions = Type.Object({
  rhoMode: Type.Union([Type.Literal("kl"), Type.Literal("constant")], {
    default: "kl",
    description: "Forget by the policy's drift, or at a constant rate",
  }),
  rhoMin: Type.Number({ default: 0.875, minimum: 0, exclusiveMaximum: 1, description: "Smallest forgetting factor" }),
  rhoMax: Type.Number({ default: 0.96, minimum: 0, exclusiveMaximum: 1, description: "Largest forgetting factor" }),
  halfLife: Type.Number({ default: 0.06, exclusiveMinimum: 0, description: "Drift, nats a token, at which memory halves" }),
  rhoConstant: Type.Number({ default: 0.875, minimum: 0, exclusiveMaximum: 1, description: "Forgetting factor of constant mode" }),
  stdEps: Type.Number({ default: 1e-8, exclusiveMinimum: 0, description: "Added to the std" }),
});

/** A_i = (d_i - mean d) / (std d + stdEps), d_i = r_i - v(x_i); sample std over the batch. Zero for equal d or a single row. */
export function batchNormalized(differences: Float64Array, stdEps: number): Float64Array {
  if (differences.length < 2 || constant(differences)) return new Float64Array(differences.length);
  const center = mean(differences);
  const scale = std(differences, 1) + stdEps;
  return differences.map((d) => (d - center) / scale);
}

/** One response a prompt against a running estimate of the prompt's value. SPO (2509.13232). */
@advantageEstimator({
  id: "spo-single-stream",
  description: "Reward minus a per-prompt running value (a Beta tracker that forgets as the policy moves), normalised over the batch",
  options: spoOptions,
  reads: ["rewards", "promptId", "tokens", "mask"],
  writes: ["advantages"],
  requires: ["scoreTokens"],
  sharedState: STATE,
  conventions: { std: "sample, over the batch", groupOfOne: "the normal case: the baseline is the prompt's tracker" },
})
export class SpoAdvantage implements AdvantageEstimator<SpoState> {
  constructor(@options() private readonly o: Static<typeof spoOptions>) {}

  initialState = initialState;

  estimate(batch: Batch, { state }: StepContext<SpoState>): EstimateResult<SpoState> {
    const ids = batch.strings("promptId");
    const values = Float64Array.from(ids, (id) => value(trackerOf(state, id)));
    const differences = batch.f64("rewards").map((r, i) => {
      if (r < 0 || r > 1) throw new DataError(`reward ${r} of prompt ${ids[i]} lies outside [0, 1], which a Beta tracker cannot hold`);
      return r - values[i]!;
    });
    const advantages = batchNormalized(differences, this.o.stdEps);
    return {
      columns: { advantages: [...advantages] },
      metrics: { trackerValue: mean(values), fracZeroAdvantage: advantages.filter((a) => a === 0).length / Math.max(1, batch.rows) },
    };
  }

  async afterUpdate({ batch, services, state }: { batch: Batch; services: Services; state: SpoState }): Promise<SpoState> {
    const ids = batch.strings("promptId");
    const rewards = batch.f64("rewards");
    const visited = ids.filter((id) => state.responses[id] !== undefined);
    const stored = visited.map((id) => state.responses[id]!);
    const now = await services.scoreTokens(batch, { prompts: stored.map((r) => r.prompt), responses: stored.map((r) => r.tokens) });
    const drift = new Map<string, number>();
    let at = 0;
    visited.forEach((id, i) => {
      const length = stored[i]!.tokens.length;
      const { mask, logp } = stored[i]!;
      const own = (values: Float64Array) => values.filter((_, t) => mask[t] === 1);
      drift.set(id, divergence(own(now.subarray(at, at + length)), own(logp)));
      at += length;
    });
    const fresh = await services.scoreTokens(batch);
    const trackers = { ...state.trackers };
    const responses = { ...state.responses };
    ids.forEach((id, row) => {
      const rho = forgettingFactor(drift.get(id) ?? 0, this.o as Forgetting);
      trackers[id] = updated(trackerOf(state, id), rewards[row]!, rho);
      responses[id] = this.response(batch, row, fresh);
    });
    return { ...state, trackers, responses };
  }

  private response(batch: Batch, row: number, logp: Float64Array) {
    const [from, to] = [batch.offsets[row]!, batch.offsets[row + 1]!];
    return {
      prompt: batch.trajectories[row]!.prompt.tokens,
      tokens: batch.i32("tokens").slice(from, to),
      mask: Uint8Array.from(batch.f64("mask").subarray(from, to)),
      logp: logp.slice(from, to),
    };
  }
}
