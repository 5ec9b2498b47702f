import {
  type Batch,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type State,
  type Static,
  statistics,
  Type,
  textPattern,
} from "@proximal/core";

const otcOptions = Type.Object({
  variant: Type.Union([Type.Literal("grpo"), Type.Literal("ppo")], {
    default: "grpo",
    description: "grpo: against the fewest calls of a right response to the prompt; ppo: fewer calls are always better",
  }),
  alpha: Type.Number({ default: 1, exclusiveMinimum: 0, description: "Scale of the reward" }),
  smoothing: Type.Number({ default: 1, exclusiveMinimum: 0, description: "c: larger = gentler for superfluous calls" }),
  remember: Type.Boolean({ default: true, description: "Keep the fewest calls of each prompt across epochs" }),
  callPattern: Type.String({
    default: "<tool_call>[\\s\\S]*?</tool_call>",
    description: "What counts as a tool call in the completion, where the run has no column toolCalls",
  }),
});

export type OtcOptions = Static<typeof otcOptions>;

/** Fewest tool calls known to suffice, by prompt. */
export type KnownCalls = Readonly<Record<string, number>>;

export interface OtcState extends State {
  calls: KnownCalls;
}

const ppoToolReward = (calls: number, smoothing: number): number => Math.cos((calls * Math.PI) / (2 * calls + smoothing));

/** r_tool of m calls where n suffice: 1 at m = n, falling on both sides. OTC (2504.14870), OTC-GRPO. */
export function grpoToolReward(calls: number, fewest: number, smoothing: number): number {
  if (fewest === 0) return calls === 0 ? 1 : ppoToolReward(calls, smoothing);
  const f = (2 * fewest * calls) / (calls + fewest);
  return Math.sin((f * Math.PI) / (2 * fewest));
}

export interface OtcFacts {
  /** [B] base reward r_φ; correct where > 0. */
  rewards: ArrayLike<number>;
  /** [B] m. */
  toolCalls: ArrayLike<number>;
}

/**
 * r = α·r_tool·r_φ, [B]: multiplicative, so that a wrong answer earns nothing by being frugal. The fewest calls n of a prompt
 * are updated from the group's right responses before the group is rewarded; with no right response and no memory r = 0.
 */
export function otcRewards(
  groups: readonly { prompt: string; rows: ArrayLike<number> }[],
  { rewards, toolCalls }: OtcFacts,
  known: KnownCalls,
  o: Omit<OtcOptions, "callPattern">,
): { rewards: Float64Array; calls: KnownCalls } {
  const calls = new Map(Object.entries(known));
  const result = new Float64Array(rewards.length);
  for (const { prompt, rows } of groups) {
    const list = Array.from(rows);
    const right = list.filter((row) => rewards[row]! > 0).map((row) => toolCalls[row]!);
    const stored = o.remember ? (calls.get(prompt) ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
    const fewest = right.reduce((a, b) => Math.min(a, b), stored);
    if (o.variant === "grpo" && o.remember && Number.isFinite(fewest)) calls.set(prompt, fewest);
    for (const row of list) {
      const m = toolCalls[row]!;
      const isKnown = o.variant === "ppo" || Number.isFinite(fewest);
      const tool = o.variant === "ppo" ? ppoToolReward(m, o.smoothing) : isKnown ? grpoToolReward(m, fewest, o.smoothing) : 0;
      // An unverifiable row (NaN) stays so.
      result[row] = o.alpha * tool * rewards[row]!;
    }
  }
  return { rewards: result, calls: Object.fromEntries(calls) };
}

@rewardModel({
  id: "otc-po",
  description: "Multiplies the reward by how close the number of tool calls is to the fewest that sufficed",
  options: otcOptions,
  reads: ["completions", "promptId", "group", { name: "toolCalls", at: "row", dtype: "i32", optional: true }],
  wraps: true,
})
export class OtcReward implements RewardModel<OtcState> {
  private readonly call: RegExp;

  constructor(@options() private readonly o: OtcOptions) {
    this.call = textPattern(o.callPattern, "callPattern", "gu");
  }

  initialState(): OtcState {
    return { version: 1, calls: {} };
  }

  score(batch: Batch, { inner, state }: RewardContext<OtcState>): RewardResult<OtcState> {
    const base = inner!.rewards;
    const toolCalls = batch.has("toolCalls")
      ? batch.i32("toolCalls")
      : Int32Array.from(batch.strings("completions"), (text) => text.match(this.call)?.length ?? 0);
    const ids = batch.strings("promptId");
    const groups = batch.groupRows.map((rows) => ({ prompt: ids[rows[0]!]!, rows }));
    const { rewards, calls } = otcRewards(groups, { rewards: base, toolCalls }, state.calls, this.o);
    const right = base.filter((reward) => reward > 0).length;
    const total = toolCalls.reduce((a, b) => a + b, 0);
    return {
      rewards,
      components: { toolCalls: Float64Array.from(toolCalls) },
      state: { version: 1, calls },
      // Right answers a call: what the method is meant to raise.
      metrics: { productivity: total === 0 ? Number.NaN : right / total, fewestCalls: statistics.mean(Object.values(calls)) },
    };
  }
}
