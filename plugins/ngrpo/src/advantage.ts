import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  options,
  type Static,
  statistics,
  Type,
} from "@proximal/core";

const { constant, mean, std, take } = statistics;

const ngrpoOptions = Type.Object({
  maxReward: Type.Number({ default: 1, description: "Largest reward of the task, R_max: that of the virtual responses" }),
  virtualCount: Type.Integer({ default: 1, minimum: 0, description: "Virtual responses a group; 0 = GRPO" }),
  stdEps: Type.Number({ default: 1e-6, exclusiveMinimum: 0, description: "Added to the std" }),
  filterAllCorrect: Type.Boolean({ default: true, description: "Leave out groups in which every response is correct" }),
});

type NgrpoOptions = Static<typeof ngrpoOptions>;

/**
 * A_i = (R_i - mean E) / (std E + stdEps), E = {R_1 … R_k, R_max, …}, sample std; only real responses get an advantage, [k].
 * NGRPO (2509.18851).
 */
function calibratedAdvantages(rewards: Float64Array, { maxReward, virtualCount, stdEps }: NgrpoOptions): Float64Array {
  const extended = Float64Array.of(...rewards, ...new Array<number>(virtualCount).fill(maxReward));
  if (constant(extended)) return new Float64Array(rewards.length);
  const center = mean(extended);
  const scale = std(extended, 1) + stdEps;
  return rewards.map((reward) => (reward - center) / scale);
}

/** Advantages against a group that a virtual best response joined: failed groups push, solved groups are left out. */
@advantageEstimator({
  id: "ngrpo",
  description: "Group-normalised rewards with a virtual response of maximal reward in every group",
  options: ngrpoOptions,
  reads: ["rewards", { name: "correct", optional: true }],
  writes: ["advantages", "keep"],
  conventions: { std: "sample, virtual responses included", groupOfOne: "compared with the virtual response" },
})
export class NgrpoAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: NgrpoOptions) {}

  estimate(batch: Batch): EstimateResult {
    const rewards = batch.f64("rewards");
    const advantages = new Float64Array(batch.rows);
    const keep = new Uint8Array(batch.rows).fill(1);
    const isCorrect = this.correctness(batch);
    let allWrong = 0;
    let filtered = 0;
    for (const rows of batch.groupRows) {
      if (rows.every((row) => !isCorrect(row))) allWrong++;
      if (this.o.filterAllCorrect && rows.every(isCorrect)) {
        for (const row of rows) keep[row] = 0;
        filtered++;
        continue;
      }
      calibratedAdvantages(take(rewards, rows), this.o).forEach((advantage, i) => {
        advantages[rows[i]!] = advantage;
      });
    }
    const share = (count: number) => (batch.groups === 0 ? 0 : count / batch.groups);
    return {
      columns: { advantages: [...advantages], keep },
      metrics: { allWrongFraction: share(allWrong), filteredFraction: share(filtered) },
    };
  }

  /** With shaped rewards a component that judges correctness decides; otherwise a reward of `maxReward` or more. */
  private correctness(batch: Batch): (row: number) => boolean {
    const [values, least] = batch.has("correct") ? [batch.f64("correct"), 1] : [batch.f64("rewards"), this.o.maxReward];
    return (row) => values[row]! >= least;
  }
}
