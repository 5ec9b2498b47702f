import {
  ConfigError,
  type DataState,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type SampleContext,
  type SampleResult,
  type ScoredGroups,
  StatefulGroupSampler,
  type Static,
  sampler,
  statistics,
  Type,
} from "@proximal/core";
import { DIVERSITIES } from "./diversity.js";
import {
  interleave,
  type PromotionOptions,
  type PromptScore,
  probabilities,
  promotionScore,
  promptWeights,
  weightedCount,
} from "./promotion.js";

const weight = (value: number, of: string) => Type.Number({ default: value, minimum: 0, description: `Weight of ${of} in the score` });
const share = (value: number, description: string) => Type.Number({ default: value, minimum: 0, maximum: 1, description });

export const vasOptions = Type.Object({
  ...groupSamplerOptions.properties,
  alpha: weight(0.8, "the outcome variance P(1 - P)"),
  beta: weight(0.2, "the diversity of the responses"),
  diversity: Type.Enum([...DIVERSITIES], { default: "inverseSelfBleu", description: "Measure of diversity" }),
  ngram: Type.Integer({ default: 3, minimum: 1, description: "Length of the n-grams of distinctN" }),
  mixtureRatio: share(0.5, "Share of a batch that is drawn by weight, rounded down; the rest walks through all prompts"),
  probeRollouts: Type.Integer({
    default: 32,
    minimum: 2,
    description: "Responses a prompt at each refresh, for every prompt of the data set",
  }),
  updateEvery: Type.Integer({ default: 35, minimum: 1, description: "Steps between refreshes; the first is before the first step" }),
  normalize: Type.Enum(["none", "minmax"], { default: "none", description: "Scores as they are, or scaled to [0, 1] over the data set" }),
  momentum: share(0, "Weight of the last refresh in the new weights"),
});

export interface VasState extends DataState {
  /** One a prompt, in the order of the data set; empty before the first refresh. */
  weights: readonly number[];
  /** Prompts that the even part has drawn so far. */
  drawn: number;
}

/** Prompts that are probed at once. */
const CHUNK = 64;

/**
 * Draws part of each batch in proportion to the variance promotion score of the prompts, which probe responses of the whole
 * data set refresh every `updateEvery` steps. Variance-aware sampling, MMR1 technical report, 2025.
 */
@sampler({
  id: "mmr1-vas",
  description: "Prompts with uncertain outcome and diverse responses are drawn more often; scores come from probes of all prompts",
  options: vasOptions,
  reads: ["rewards", "correct"],
  provides: ["group-of-equal-prompts"],
})
export class VarianceAwareSampler extends StatefulGroupSampler<VasState> {
  constructor(@options() protected readonly settings: Static<typeof vasOptions>) {
    super();
    if (settings.alpha === 0 && settings.beta === 0) {
      throw new ConfigError("alpha and beta are both 0: no prompt has a weight", { path: "alpha", accepted: "at least one above 0" });
    }
  }

  initialState(): VasState {
    return { version: 1, drawn: 0, weights: [] };
  }

  override async collect(context: SampleContext<VasState>): Promise<SampleResult<VasState>> {
    const due = context.step % this.settings.updateEvery === 0 || context.state.weights.length === 0;
    if (!due) return super.collect(context);
    const scores = await this.probe(context);
    const before = context.state.weights.length === 0 ? undefined : context.state.weights;
    const weights = promptWeights(
      scores.map(({ vps }) => vps),
      before,
      this.settings as PromotionOptions,
    );
    const result = await super.collect({ ...context, state: { ...context.state, weights } });
    return { ...result, metrics: { ...result.metrics, ...probeMetrics(scores) } };
  }

  /** Score of every prompt from fresh responses of the present policy. */
  private async probe(context: SampleContext<VasState>): Promise<PromptScore[]> {
    const { prompts, random } = context;
    const scores: PromptScore[] = [];
    for (let from = 0; from < prompts.size; from += CHUNK) {
      const count = Math.min(CHUNK, prompts.size - from);
      const planned = Array.from({ length: count }, (_, i) => ({ prompt: prompts.get(from + i), count: this.settings.probeRollouts }));
      const generate: typeof context.generate = (requests) =>
        context.generate(requests.map((request) => ({ ...request, key: `probe/${request.key}` })));
      const groups = await this.rollout(planned, { ...context, generate, random: random.fork("probe") });
      const batch = await context.score(groups);
      const correct = batch.f64("correct");
      scores.push(
        ...groups.map(({ trajectories }, g) =>
          promotionScore(
            statistics.take(correct, batch.groupRows[g]!).filter(Number.isFinite),
            trajectories.map(({ tokens }) => tokens),
            this.settings as PromotionOptions,
          ),
        ),
      );
    }
    return scores;
  }

  protected override plan(context: SampleContext<VasState>): { groups: PlannedGroup[]; state: VasState } {
    const { prompts, random, state } = context;
    const { promptsPerStep, mixtureRatio, groupSize } = this.settings;
    const byWeight = weightedCount(promptsPerStep, mixtureRatio);
    const stream = random.fork("weighted");
    const chances = probabilities(state.weights);
    const weighted = Array.from({ length: byWeight }, () => stream.weighted(chances));
    const { indices: evenly, state: next } = this.draw(promptsPerStep - byWeight, context);
    const groups = interleave(weighted, evenly).map((index) => ({ prompt: prompts.get(index), count: groupSize }));
    return { groups, state: next };
  }

  protected override async select(scored: ScoredGroups<VasState>, context: SampleContext<VasState>): Promise<SampleResult<VasState>> {
    const rewards = scored.batch.f64("rewards");
    const variances = scored.batch.groupRows.map((rows) => statistics.std(statistics.take(rewards, rows), 0) ** 2);
    const result = await super.select(scored, context);
    return { ...result, metrics: { ...result.metrics, groupVariance: statistics.mean(variances) } };
  }
}

const probeMetrics = (scores: readonly PromptScore[]) => ({
  probeSuccessRate: statistics.mean(scores.map(({ successRate }) => successRate)),
  probeOvs: statistics.mean(scores.map(({ ovs }) => ovs)),
  probeTds: statistics.mean(scores.map(({ tds }) => tds)),
});
