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
import { type PromptHistory, smoothAdvantages, UNSEEN } from "./history.js";

const { mean, take } = statistics;

export const dcpoAdvantageOptions = Type.Object({
  historyDecay: Type.Number({
    default: 1,
    exclusiveMinimum: 0,
    maximum: 1,
    description: "Factor on the remembered mean and std before a visit is merged",
  }),
});

export interface DcpoState extends State {
  /** By prompt id. */
  prompts: Readonly<Record<string, PromptHistory>>;
}

/** Rewards standardised by this visit and by all visits of the prompt, [B]; a group of one gets 0 and is not remembered. */
@advantageEstimator({
  id: "dcpo",
  description: "Smooth standardisation: a blend of this visit's and the prompt's cumulative mean and standard deviation",
  options: dcpoAdvantageOptions,
  reads: ["rewards", "promptId"],
  writes: ["advantages"],
  conventions: { std: "sample (n - 1), no guard: a std of 0 gives 0", groupOfOne: "0, the history stays" },
})
export class DcpoAdvantage implements AdvantageEstimator<DcpoState> {
  constructor(@options() private readonly o: Static<typeof dcpoAdvantageOptions>) {}

  initialState(): DcpoState {
    return { version: 1, prompts: {} };
  }

  estimate(batch: Batch, { state }: StepContext<DcpoState>): EstimateResult<DcpoState> {
    const rewards = batch.f64("rewards");
    const ids = batch.strings("promptId");
    const advantages = new Array<number>(batch.rows).fill(0);
    const prompts = new Map(Object.entries(state.prompts));
    const visits: number[] = [];
    for (const rows of batch.groupRows) {
      if (rows.length < 2) continue;
      const id = ids[rows[0]!]!;
      const smooth = smoothAdvantages(take(rewards, rows), prompts.get(id) ?? UNSEEN, this.o.historyDecay);
      rows.forEach((row, k) => {
        advantages[row] = smooth.advantages[k]!;
      });
      prompts.set(id, smooth.after);
      visits.push(smooth.after.times);
    }
    return {
      columns: { advantages },
      state: { ...state, prompts: Object.fromEntries(prompts) },
      metrics: { visits: mean(visits), nonZero: advantages.filter((a) => a !== 0).length / Math.max(1, batch.rows) },
    };
  }
}
