import {
  ConfigError,
  DataError,
  type DataState,
  drawFrom,
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
import { advance, eligibleQuestions, type Progress } from "./curriculum.js";

const { groupSize, promptsPerStep } = groupSamplerOptions.properties;

export const searchSamplerOptions = Type.Object({
  groupSize,
  promptsPerStep,
  stageHops: Type.Array(Type.Array(Type.Integer({ minimum: 0 }), { minItems: 2, maxItems: 2 }), {
    default: [
      [1, 1],
      [1, 3],
      [2, 6],
    ],
    minItems: 1,
    description: "Lowest and highest number of hops of each stage",
  }),
  window: Type.Integer({ default: 3, minimum: 1, description: "Steps in the promotion test" }),
  promoteAt: Type.Number({ default: 0.6, exclusiveMinimum: 0, maximum: 1, description: "Mean success that ends a stage" }),
  success: Type.Union([Type.Literal("mean"), Type.Literal("share")], {
    default: "mean",
    description: "Success of a step: the mean reward (for F1), or the share of rewards of at least 1",
  }),
  hopsField: Type.String({ default: "hops", description: "Field of a record: edges to traverse" }),
});

export interface CurriculumState extends DataState {
  progress: Progress;
}

/** Groups from the questions of the current stage, drawn uniformly; the stage rises with success. SearchGym (2601.14615), reconstructed. */
@sampler({
  id: "searchgym-rl",
  description: "Independent groups from questions whose number of hops grows with the success of the last steps",
  options: searchSamplerOptions,
  reads: ["rewards"],
  provides: ["group-of-equal-prompts"],
})
export class SearchSampler extends StatefulGroupSampler<CurriculumState> {
  protected readonly settings: Static<typeof searchSamplerOptions> & { shuffle: boolean };
  private hops: readonly number[] | undefined;

  constructor(@options() o: Static<typeof searchSamplerOptions>) {
    super();
    const reversed = o.stageHops.find(([low, high]) => low! > high!);
    if (reversed !== undefined) throw new ConfigError('sampler "searchgym-rl": a stage is [lowest, highest]', { given: reversed });
    this.settings = { ...o, shuffle: true };
  }

  initialState(): CurriculumState {
    return { version: 1, drawn: 0, progress: { stage: 0, recent: [] } };
  }

  protected override plan({ prompts, random, state }: SampleContext<CurriculumState>): { groups: PlannedGroup[]; state: CurriculumState } {
    const { hopsField, stageHops, promptsPerStep: count } = this.settings;
    this.hops ??= Array.from({ length: prompts.size }, (_, i) => {
      const { fields, id } = prompts.get(i);
      const hops = fields[hopsField];
      if (typeof hops === "number") return hops;
      throw new DataError(`record ${id} has no number in the field "${hopsField}"`, { given: hops });
    });
    const eligible = eligibleQuestions(this.hops, state.progress.stage, stageHops);
    if (eligible.length === 0) {
      throw new DataError("no question has as many hops as the first stage asks for", { path: "sampler.stageHops", given: stageHops[0] });
    }
    const groups = drawFrom(eligible, count, random.fork("prompts")).map((index) => ({
      prompt: prompts.get(index),
      count: this.settings.groupSize,
    }));
    return { groups, state: { ...state, drawn: state.drawn + groups.length } };
  }

  protected override async select(
    scored: ScoredGroups<CurriculumState>,
    context: SampleContext<CurriculumState>,
  ): Promise<SampleResult<CurriculumState>> {
    const { groups, batch, state } = await super.select(scored, context);
    const rewards = batch.f64("rewards").filter(Number.isFinite);
    const success = statistics.mean(this.settings.success === "share" ? rewards.map((reward) => (reward >= 1 ? 1 : 0)) : rewards);
    const progress = rewards.length === 0 ? state.progress : advance(state.progress, success, this.settings);
    return { groups, batch, state: { ...state, progress }, metrics: { stage: state.progress.stage, success } };
  }
}
