import {
  ConfigError,
  DataError,
  type DataState,
  drawFrom,
  GroupSampler,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type Prompt,
  type SampleContext,
  type SampleResult,
  type Static,
  sampler,
  Type,
} from "@proximal/core";
import { currentStage, eligibleTasks, stageOf } from "./curriculum.js";
import { UNDERSTANDING } from "./reward.js";

const { groupSize, promptsPerStep } = groupSamplerOptions.properties;
const increasing = (values: readonly number[]): boolean => values.every((value, i) => i === 0 || value > values[i - 1]!);

export const curriculumOptions = Type.Object({
  groupSize,
  promptsPerStep,
  stageMaxSteps: Type.Array(Type.Number(), {
    default: [3, 8],
    minItems: 1,
    description: "Longest trajectory of each stage but the last, steps; increasing",
  }),
  stageStart: Type.Array(Type.Integer({ minimum: 0 }), {
    default: [0, 100, 250],
    minItems: 1,
    description: "First training step of each stage; increasing, starts with 0",
  }),
  cumulative: Type.Boolean({ default: false, description: "Keep the easier stages in the mix" }),
  understandingLast: Type.Boolean({ default: true, description: "Understanding tasks only in the last stage" }),
  stepsField: Type.String({ default: "trajectorySteps", description: "Field of a record: steps of the trajectory it was cut from" }),
  kindField: Type.String({ default: "taskKind", description: "Field of a record: operation or understanding" }),
});

/** Groups from the tasks of the current stage of difficulty, drawn uniformly. CRAFT-GUI (2508.11360), reconstructed. */
@sampler({
  id: "craft-gui",
  description: "Independent groups from tasks whose trajectories grow longer over the run",
  options: curriculumOptions,
  provides: ["group-of-equal-prompts"],
})
export class CurriculumSampler extends GroupSampler {
  protected readonly settings: Static<typeof curriculumOptions> & { shuffle: boolean };
  private stages: readonly number[] | undefined;

  constructor(@options() o: Static<typeof curriculumOptions>) {
    super();
    for (const name of ["stageMaxSteps", "stageStart"] as const) {
      if (!increasing(o[name])) throw new ConfigError(`sampler "craft-gui": ${name} must increase`, { given: o[name] });
    }
    if (o.stageStart[0] !== 0) throw new ConfigError('sampler "craft-gui": stageStart begins with 0', { given: o.stageStart });
    this.settings = { ...o, shuffle: true };
  }

  private stageOf(prompt: Prompt): number {
    const { stepsField, kindField } = this.settings;
    const steps = prompt.fields[stepsField];
    const isUnderstanding = prompt.fields[kindField] === UNDERSTANDING;
    if (typeof steps === "number") return stageOf(steps, isUnderstanding, this.settings);
    if (isUnderstanding && this.settings.understandingLast) return stageOf(0, true, this.settings);
    throw new DataError(`record ${prompt.id} has no number in the field "${stepsField}"`, { given: steps });
  }

  protected override plan({ prompts, random, state, step }: SampleContext<DataState>): { groups: PlannedGroup[]; state: DataState } {
    this.stages ??= Array.from({ length: prompts.size }, (_, i) => this.stageOf(prompts.get(i)));
    const eligible = eligibleTasks(this.stages, currentStage(step, this.settings), this.settings.cumulative);
    // Only harder tasks than the current stage: there is nothing easier to fall back on.
    const pool = eligible.length > 0 ? eligible : [...this.stages.keys()];
    const groups = drawFrom(pool, this.settings.promptsPerStep, random.fork("prompts")).map((index) => ({
      prompt: prompts.get(index),
      count: this.settings.groupSize,
    }));
    return { groups, state: { ...state, drawn: state.drawn + groups.length } };
  }

  protected override async select(
    scored: Parameters<GroupSampler["select"]>[0],
    context: SampleContext<DataState>,
  ): Promise<SampleResult<DataState>> {
    const result = await super.select(scored, context);
    return { ...result, metrics: { stage: currentStage(context.step, this.settings) } };
  }
}
