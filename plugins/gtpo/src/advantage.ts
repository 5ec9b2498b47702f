import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  lossMask,
  options,
  type State,
  type Static,
  type StepContext,
  statistics,
  Type,
} from "@proximal/core";
import { conflictCount, conflictRuns } from "./conflicts.js";

const { mean, take } = statistics;

export const gtpoOptions = Type.Object({
  conflictBoost: Type.Number({ default: 2, minimum: 1, description: "Weight of conflict tokens in winning rows; losing rows get 0 there" }),
  entropyScale: Type.Number({ default: 0.1, minimum: 0, description: "Weight of the row's mean entropy, subtracted from the advantage" }),
  entropyThreshold: Type.Number({
    default: Math.LN2,
    exclusiveMinimum: 0,
    description: "Nats; rows above it are left out once the model started below it",
  }),
  divideByConflicts: Type.Boolean({ default: false, description: "Divide a row's advantage by its number of conflict tokens" }),
});

export interface GtpoState extends State {
  /** Mean response entropy of the untrained model, nats; null before the first batch. */
  initialEntropy: number | null;
}

/**
 * A_{i,t} = δ_i·(a_i - entropyScale·h_i)·λ_{i,t}, a_i the centred reward, h_i the row's mean entropy, λ the conflict weight,
 * δ the entropy filter, [B, T]. Simoni et al. 2025 (2508.03772).
 */
@advantageEstimator({
  id: "gtpo",
  description: "Centred rewards that spare the tokens shared by winners and losers and leave out rows of high entropy",
  options: gtpoOptions,
  reads: ["rewards", "tokens", "oldEntropy"],
  writes: [
    "advantages",
    { name: "conflictWeights", at: "token", dtype: "f64" },
    { name: "entropyKeep", at: "row", dtype: "bool" },
    { name: "conflicts", at: "row", dtype: "i32" },
  ],
  conventions: { std: "none", groupOfOne: "0 before entropy shaping" },
})
export class GtpoAdvantage implements AdvantageEstimator<GtpoState> {
  constructor(@options() private readonly o: Static<typeof gtpoOptions>) {}

  initialState(): GtpoState {
    return { version: 1, initialEntropy: null };
  }

  estimate(batch: Batch, { state }: StepContext<GtpoState>): EstimateResult<GtpoState> {
    const { conflictBoost, entropyScale, entropyThreshold, divideByConflicts } = this.o;
    const rewards = batch.f64("rewards");
    const tokens = batch.i32("tokens");
    const mask = lossMask(batch);
    const entropies = Float64Array.from({ length: batch.rows }, (_, row) => {
      const own = batch.tokensOf("oldEntropy", row).filter((_, t) => mask[batch.offsets[row]! + t]);
      return own.length === 0 ? 0 : mean(own);
    });
    const initialEntropy = state.initialEntropy ?? (batch.rows === 0 ? null : mean(entropies));
    const filtering = initialEntropy !== null && initialEntropy <= entropyThreshold;
    const advantages = new Float64Array(batch.tokens);
    const conflictWeights = new Float64Array(batch.tokens).fill(1);
    const entropyKeep = Uint8Array.from(entropies, (h) => (filtering && h > entropyThreshold ? 0 : 1));
    const conflicts = new Int32Array(batch.rows);

    for (const rows of batch.groupRows) {
      const center = mean(take(rewards, rows));
      const centred = Array.from(rows, (row) => rewards[row]! - center);
      const signs = centred.map(Math.sign);
      const ids = Array.from(rows, (row) => tokens.subarray(batch.offsets[row]!, batch.offsets[row + 1]!));
      conflictRuns(ids, signs).forEach((run, i) => {
        const row = rows[i]!;
        const [first, length] = [batch.offsets[row]!, ids[i]!.length];
        const factor = signs[i]! > 0 ? conflictBoost : 0;
        conflicts[row] = conflictCount(run, length);
        const share = divideByConflicts ? Math.max(1, conflicts[row]!) : 1;
        const shaped = (entropyKeep[row]! * (centred[i]! - entropyScale * entropies[row]!)) / share;
        for (let t = 0; t < length; t++) {
          const weight = (t < run.forward ? factor : 1) * (t >= length - run.backward ? factor : 1);
          conflictWeights[first + t] = weight;
          advantages[first + t] = shaped * weight;
        }
      });
    }
    return {
      columns: { advantages, conflictWeights, entropyKeep, conflicts },
      state: { version: 1, initialEntropy },
      metrics: {
        conflictFraction: batch.tokens === 0 ? 0 : conflicts.reduce((a, b) => a + b, 0) / batch.tokens,
        keptFraction: batch.rows === 0 ? 0 : mean(entropyKeep),
        responseEntropy: batch.rows === 0 ? 0 : mean(entropies),
      },
    };
  }
}
