import {
  type Batch,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  type RunFacts,
  rewardModel,
  runFacts,
  type Static,
  Type,
} from "@proximal/core";

export const adaOptions = Type.Object({
  formats: Type.Record(Type.String(), Type.String(), {
    default: { "<ANSWER>": "direct", "<COT>": "shortCot", "<CODE>": "code", "<LONG_COT>": "longCot" },
    minProperties: 1,
    description: "Opening tag of a completion and the reasoning format that it stands for",
  }),
  totalSteps: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: "T of the decay; the run's planned steps when left out" })),
  diversityFloor: Type.Optional(Type.Number({ minimum: 1, description: "Largest factor; none when left out (not in the paper)" })),
});

const UNKNOWN = "unknown";

/** Format of a completion from its opening tag; `unknown` when it has none. */
export function formatOf(completion: string, formats: Readonly<Record<string, string>>): string {
  const text = completion.trimStart();
  return Object.entries(formats).find(([tag]) => text.startsWith(tag))?.[1] ?? UNKNOWN;
}

/**
 * α_i(t) = 1 + (G/F_i - 1)·(1 + cos(π·t/T)) / 2, F_i = responses of the group in the format of i, [B]: G/F_i at first, 1 at
 * the end. Adaptive Reasoning Model (2505.20258), as in the official code.
 */
export function diversityScale(
  modes: readonly string[],
  groupRows: readonly ArrayLike<number>[],
  {
    step,
    totalSteps,
    diversityFloor = Number.POSITIVE_INFINITY,
  }: { step: number; totalSteps: number; diversityFloor?: number | undefined },
): Float64Array {
  const decay = 0.5 * (1 + Math.cos((Math.PI * step) / totalSteps));
  const scale = new Float64Array(modes.length);
  for (const rows of groupRows) {
    const counts = new Map<string, number>();
    for (const row of Array.from(rows)) counts.set(modes[row]!, (counts.get(modes[row]!) ?? 0) + 1);
    for (const row of Array.from(rows)) {
      scale[row] = Math.min(diversityFloor, 1 + (rows.length / counts.get(modes[row]!)! - 1) * decay);
    }
  }
  return scale;
}

@rewardModel({
  id: "ada-grpo",
  description: "Multiplies the reward of responses in rare reasoning formats, less and less over the run",
  options: adaOptions,
  reads: ["completions", "group"],
  writes: [{ name: "mode", at: "row", dtype: "string" }],
  wraps: true,
})
export class AdaReward implements RewardModel {
  constructor(
    @options() private readonly o: Static<typeof adaOptions>,
    @runFacts() private readonly run: RunFacts,
  ) {}

  score(batch: Batch, { inner, step }: RewardContext): RewardResult {
    const mode = batch.strings("completions").map((text) => formatOf(text, this.o.formats));
    const { totalSteps = this.run.totalSteps, diversityFloor } = this.o;
    const scale = diversityScale(mode, batch.groupRows, { step, totalSteps, diversityFloor });
    const shares = [...new Set([...Object.values(this.o.formats), UNKNOWN])].map((name): [string, number] => [
      `share.${name}`,
      mode.filter((m) => m === name).length / Math.max(1, mode.length),
    ]);
    return {
      rewards: inner!.rewards.map((reward, row) => reward * scale[row]!),
      components: { scale },
      columns: { mode },
      metrics: Object.fromEntries(shares),
    };
  }
}
