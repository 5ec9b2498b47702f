import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  groupNormalize,
  lossMask,
  options,
  type ScoreTokens,
  type Static,
  type StepContext,
  statistics,
  Type,
} from "@proximal/core";
import { lowProbabilityConfidence } from "./confidence.js";

const { constant, mean, take } = statistics;

const progrpoOptions = Type.Object({
  alpha: Type.Number({ default: 0.3, minimum: 0, description: "Strength of the re-weighting; 0 = GRPO" }),
  lowFraction: Type.Number({
    default: 0.2,
    exclusiveMinimum: 0,
    maximum: 1,
    description: "Share of tokens, the least likely, in a confidence",
  }),
  correctOnly: Type.Boolean({ default: false, description: "Re-weight only responses with a positive reward" }),
  skipUnanimous: Type.Boolean({ default: false, description: "No re-weighting in groups whose rewards are all equal" }),
  stdEps: Type.Number({ default: 1e-6, exclusiveMinimum: 0, description: "Added to the std" }),
  ddof: Type.Union([Type.Literal(0), Type.Literal(1)], { default: 0, description: "Std divides by n - ddof: 0 = population, 1 = sample" }),
});

export type ProgrpoOptions = Static<typeof progrpoOptions>;

/** Confidences of each row, (0, 1]: of its prompt and of its response. */
export interface Confidences {
  prompt: ArrayLike<number>;
  answer: ArrayLike<number>;
}

/** A~_i = A_i + alpha·(c(q) - c(o_i)) in groups whose rewards do not sum to 0, A_i elsewhere, [B]. ProGRPO (2602.05281). */
export function reweighted(
  rewards: Float64Array,
  groupRows: readonly Int32Array[],
  { prompt, answer }: Confidences,
  o: ProgrpoOptions,
): Float64Array {
  const advantages = groupNormalize(rewards, groupRows, { ...o, scale: "group", groupOfOne: "zero", advClip: null });
  for (const rows of groupRows) {
    const group = take(rewards, rows);
    if (group.reduce((a, b) => a + b, 0) === 0 || (o.skipUnanimous && constant(group))) continue;
    for (const row of rows) {
      if (o.correctOnly && !(rewards[row]! > 0)) continue;
      advantages[row]! += o.alpha * (prompt[row]! - answer[row]!);
    }
  }
  return advantages;
}

/** GRPO's advantage, lowered for responses that the policy is surer of than of the prompt and raised for hesitant ones. */
@advantageEstimator({
  id: "progrpo",
  description: "Group-normalised rewards plus the confidence in the prompt minus that in the response",
  options: progrpoOptions,
  reads: ["rewards", "oldLogp", "mask"],
  writes: ["advantages", { name: "promptConfidence", at: "row", dtype: "f64" }, { name: "answerConfidence", at: "row", dtype: "f64" }],
  requires: ["scoreTokens"],
  conventions: { std: "population unless ddof is 1", groupOfOne: "0, plus the re-weighting" },
})
export class ProgrpoAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: ProgrpoOptions) {}

  async estimate(batch: Batch, { services }: StepContext): Promise<EstimateResult> {
    const rewards = batch.f64("rewards");
    const promptConfidence = await this.promptConfidences(batch, services.scoreTokens);
    const answerConfidence = this.answerConfidences(batch);
    const advantages = reweighted(rewards, batch.groupRows, { prompt: promptConfidence, answer: answerConfidence }, this.o);
    const ofCorrect = advantages.filter((_, row) => rewards[row]! > 0);
    return {
      columns: { advantages: [...advantages], promptConfidence, answerConfidence },
      metrics: {
        promptConfidence: mean(promptConfidence),
        answerConfidence: mean(answerConfidence),
        correctNegative: ofCorrect.filter((a) => a < 0).length / ofCorrect.length,
      },
    };
  }

  private answerConfidences(batch: Batch): Float64Array {
    const logp = batch.f64("oldLogp");
    const mask = lossMask(batch);
    const tokens = [...mask.keys()];
    return Float64Array.from(batch.lengths, (_, row) => {
      const own = tokens.slice(batch.offsets[row], batch.offsets[row + 1]).filter((t) => mask[t] === 1);
      return lowProbabilityConfidence(take(logp, own), this.o.lowFraction);
    });
  }

  /** Every distinct prompt is scored once, its first token as the context of the others. */
  private async promptConfidences(batch: Batch, scoreTokens: ScoreTokens): Promise<Float64Array> {
    const prompts = batch.trajectories.map(({ prompt }) => prompt.tokens);
    const keys = prompts.map((tokens) => tokens.join());
    const first = keys.flatMap((key, row) => (prompts[row]!.length > 1 && keys.indexOf(key) === row ? [row] : []));
    const logp =
      first.length === 0
        ? new Float64Array()
        : await scoreTokens(batch.select(first), {
            prompts: first.map((row) => prompts[row]!.subarray(0, 1)),
            responses: first.map((row) => prompts[row]!.subarray(1)),
          });
    const confidences = new Map<string, number>();
    let at = 0;
    for (const row of first) {
      const end = at + prompts[row]!.length - 1;
      confidences.set(keys[row]!, lowProbabilityConfidence(logp.subarray(at, end), this.o.lowFraction));
      at = end;
    }
    return Float64Array.from(keys, (key) => confidences.get(key) ?? 1);
  }
}
