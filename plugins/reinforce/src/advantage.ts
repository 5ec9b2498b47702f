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

const { mean, std, take } = statistics;

const reinforceOptions = Type.Object({
  baseline: Type.Union(
    ["none", "batchMean", "groupMean", "ema"].map((name) => Type.Literal(name)),
    { default: "batchMean", description: "What is subtracted from the reward: nothing, the batch's mean, the group's mean, a moving mean" },
  ),
  emaDecay: Type.Number({ default: 0.9, minimum: 0, exclusiveMaximum: 1, description: "Decay of the moving mean" }),
  gamma: Type.Number({ default: 1, exclusiveMinimum: 0, maximum: 1, description: "Discount a token" }),
  klCoef: Type.Number({ default: 0, minimum: 0, description: "Weight of the KL to the reference in the reward of each token" }),
  whiten: Type.Union([Type.Literal("none"), Type.Literal("tokens")], {
    default: "none",
    description: "Advantages of all tokens of the batch to mean 0 and sample variance 1",
  }),
});

type ReinforceOptions = Static<typeof reinforceOptions>;

const WHITEN_EPS = 1e-8;

export interface BaselineState extends State {
  /** Moving mean of the rewards. */
  baseline: number;
}

/** b_i of each response, [B]. A group of one has the baseline 0: its raw reward stays. */
function baselines(rewards: Float64Array, groupRows: readonly Int32Array[], kind: string, moving: number): Float64Array {
  const result = new Float64Array(rewards.length);
  if (kind === "batchMean") return result.fill(mean(rewards));
  if (kind === "ema") return result.fill(moving);
  if (kind === "groupMean") {
    for (const rows of groupRows) if (rows.length > 1) for (const row of rows) result[row] = mean(take(rewards, rows));
  }
  return result;
}

/**
 * G_t = u_t + γ·G_{t+1} over the policy's own tokens of one response; `terminal` joins the reward of the last of them.
 * Tokens of others (tool output) pass the return on unchanged and get 0.
 */
function returnsToGo(tokenRewards: Float64Array, own: Uint8Array, terminal: number, gamma: number): Float64Array {
  const returns = new Float64Array(own.length);
  let next: number | null = null;
  for (let t = own.length - 1; t >= 0; t--) {
    if (!own[t]) continue;
    next = tokenRewards[t]! + (next === null ? terminal : gamma * next);
    returns[t] = next;
  }
  return returns;
}

/** (A - m) / sqrt(var + 1e-8) over the own tokens of all rows, sample variance; zeros for fewer than two tokens. In place. */
function whitenTokens(advantages: Float64Array, own: Uint8Array): void {
  const values = advantages.filter((_, t) => own[t]);
  const center = mean(values);
  const scale = Math.sqrt(std(values, 1) ** 2 + WHITEN_EPS);
  for (let t = 0; t < advantages.length; t++) advantages[t] = own[t] && values.length > 1 ? (advantages[t]! - center) / scale : 0;
}

/**
 * A_{i,t} = G_{i,t} with u_{i,t} = -klCoef·(oldLogp - refLogp) and R_i - b_i at the last token, [B, T]; optionally whitened.
 * Williams 1992; REINFORCE++ (2501.03262).
 */
@advantageEstimator({
  id: "reinforce",
  description: "Return of each token: reward less a baseline, KL to the reference as a token reward, optionally whitened over the batch",
  options: reinforceOptions,
  reads: ["rewards", "mask", { name: "oldLogp", unless: { klCoef: 0 } }, { name: "refLogp", unless: { klCoef: 0 } }],
  writes: ["advantages"],
  conventions: {
    std: "whitening: sample variance over tokens, 1e-8 added to it",
    groupOfOne: "raw reward",
    kl: "in the reward, at the sampler's log-probs, no gradient",
  },
})
export class ReinforceAdvantage implements AdvantageEstimator<BaselineState> {
  constructor(@options() private readonly o: ReinforceOptions) {}

  initialState(): BaselineState {
    return { version: 1, baseline: 0 };
  }

  estimate(batch: Batch, { state }: StepContext<BaselineState>): EstimateResult<BaselineState> {
    const { baseline, emaDecay, gamma, klCoef, whiten } = this.o;
    const rewards = batch.f64("rewards");
    const subtracted = baselines(rewards, batch.groupRows, baseline, state.baseline);
    const own = lossMask(batch);
    const tokenRewards = klCoef === 0 ? new Float64Array(batch.tokens) : this.penalties(batch);
    const advantages = new Float64Array(batch.tokens);
    for (let row = 0; row < batch.rows; row++) {
      const [from, to] = [batch.offsets[row]!, batch.offsets[row + 1]!];
      const terminal = rewards[row]! - subtracted[row]!;
      advantages.set(returnsToGo(tokenRewards.subarray(from, to), own.subarray(from, to), terminal, gamma), from);
    }
    if (whiten === "tokens") whitenTokens(advantages, own);
    const moved = emaDecay * state.baseline + (1 - emaDecay) * mean(rewards);
    return {
      columns: { advantages: rowsOf(batch, advantages) },
      ...(baseline === "ema" ? { state: { ...state, baseline: moved } } : {}),
      metrics: { baseline: mean(subtracted) },
    };
  }

  private penalties(batch: Batch): Float64Array {
    const reference = batch.f64("refLogp");
    return batch.f64("oldLogp").map((logp, t) => -this.o.klCoef * (logp - reference[t]!));
  }
}

/** Values of tokens, one list a row. */
const rowsOf = ({ rows, offsets }: Batch, values: Float64Array): number[][] =>
  Array.from({ length: rows }, (_, row) => [...values.subarray(offsets[row], offsets[row + 1])]);
