import {
  type Batch,
  correctOf,
  correctThresholdOption,
  options,
  type RewardContext,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type Static,
  Type,
  textPattern,
} from "@proximal/core";
import { adaptiveRewards } from "./adaptive.js";
import { modeOf, modeOptions } from "./modes.js";

export const adaptiveOptions = Type.Object({
  alpha: Type.Number({ default: 2, exclusiveMinimum: 0, description: "α: exponent of the success rate" }),
  easyThreshold: Type.Number({
    default: 0.5,
    minimum: 0,
    exclusiveMaximum: 1,
    description: "τ: a prompt is easy when the cheap mode succeeds more often",
  }),
  successRateOver: Type.Union([Type.Literal("allForced"), Type.Literal("instantForced")], {
    default: "allForced",
    description: "Rollouts that the success rate p is taken over",
  }),
  ...modeOptions,
  formats: Type.Record(Type.String(), Type.String(), {
    default: {},
    description: "Regular expression that a completion of a mode must match; modes without one are well-formed with their tag",
  }),
  correctThreshold: correctThresholdOption,
});

@rewardModel({
  id: "apo-a2fm",
  description: "Right answers of expensive modes earn less on prompts that the cheap mode solves",
  options: adaptiveOptions,
  reads: [
    "completions",
    "group",
    { name: "forcedMode", at: "row", dtype: "string", optional: true },
    { name: "forced", at: "row", dtype: "bool", optional: true },
  ],
  writes: ["correct", "format", { name: "mode", at: "row", dtype: "string" }],
  wraps: true,
})
export class AdaptiveReward implements RewardModel {
  private readonly formats: ReadonlyMap<string, RegExp>;

  constructor(@options() private readonly o: Static<typeof adaptiveOptions>) {
    this.formats = new Map(Object.entries(o.formats).map(([mode, source]) => [mode, textPattern(source, `formats.${mode}`)]));
  }

  score(batch: Batch, { inner }: RewardContext): RewardResult {
    const texts = batch.strings("completions");
    const forced = batch.has("forced") ? batch.f64("forced") : new Float64Array(batch.rows);
    const mode = texts.map((text, row) =>
      forced[row] === 1 ? batch.strings("forcedMode")[row]! : modeOf(text, this.o.modes, this.o.tags),
    );
    const format = Float64Array.from(texts, (text, row) =>
      mode[row] !== "" && (this.formats.get(mode[row]!)?.test(text) ?? true) ? 1 : 0,
    );
    const correct = correctOf(inner!.rewards, this.o.correctThreshold);
    const { rewards, easy, successRate } = adaptiveRewards({ correct, format, mode, forced }, batch.groupRows, this.o);
    const chosen = mode.filter((_, row) => forced[row] !== 1);
    const shares = this.o.modes.map((name) => [`chosen.${name}`, chosen.filter((m) => m === name).length / chosen.length]);
    return {
      rewards,
      components: { format },
      columns: { correct, format, mode },
      metrics: {
        easy: easy.filter(Boolean).length / Math.max(1, easy.length),
        successRate: successRate.reduce((a, b) => a + b, 0) / Math.max(1, successRate.length),
        ...Object.fromEntries(shares),
      },
    };
  }
}
