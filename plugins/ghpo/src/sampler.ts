import {
  Batch,
  type ColumnSpecs,
  DataError,
  type DataState,
  GroupSampler,
  groupSamplerOptions,
  options,
  type Prompt,
  type SampleContext,
  type SampleResult,
  type ScoredGroups,
  type Static,
  sampler,
  statistics,
  Type,
} from "@proximal/core";
import { hintLength, isHard, refineGroups } from "./refine.js";

export const ghpoOptions = Type.Object({
  ...groupSamplerOptions.properties,
  hintRatios: Type.Array(Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }), {
    default: [0.25, 0.5, 0.75],
    description: "Share of the reference solution that each stage shows, increasing",
  }),
  startHintStep: Type.Integer({ default: 0, minimum: 0, description: "No refinement before this step" }),
  correctThreshold: Type.Number({ default: 0, description: "A correctness reward above this solves the prompt" }),
  solutionField: Type.String({ default: "solution", description: "Field of the records that holds the reference solution" }),
  connector: Type.String({
    default: "\nThe following text is the beginning of the answer, which you may use:\n",
    description: "Stands between the prompt and the hint",
  }),
  maxPromptLength: Type.Integer({ default: 2048, minimum: 1, description: "Tokens; a longer refined prompt is cut from the left" }),
});

const STAGE = { stage: { at: "row", dtype: "i32" } } as const satisfies ColumnSpecs;

/** Correctness: the run's first reward model, unweighted, [B]. */
function correctnessOf(batch: Batch): Float64Array {
  const components = batch.f64("rewardComponents");
  const width = components.length / Math.max(1, batch.rows);
  return Float64Array.from({ length: batch.rows }, (_, row) => components[row * width]!);
}

/** Samples groups without a correct response again, with more and more of the reference solution in the prompt. GHPO (2507.10628). */
@sampler({
  id: "ghpo",
  description: "Groups that fail are sampled anew behind growing parts of their reference solution, and trained on that prompt",
  options: ghpoOptions,
  reads: ["rewardComponents"],
  writes: ["hinted", { name: "stage", ...STAGE.stage }],
  provides: ["group-of-equal-prompts"],
})
export class GhpoSampler extends GroupSampler {
  constructor(@options() protected readonly settings: Static<typeof ghpoOptions>) {
    super();
  }

  protected override async select(
    { groups, batch, state }: ScoredGroups,
    context: SampleContext<DataState>,
  ): Promise<SampleResult<DataState>> {
    const { hintRatios, startHintStep, correctThreshold } = this.settings;
    const first = batch.groupRows.map((rows) => batch.select(rows));
    const hard = (group: Batch) => isHard(correctnessOf(group), correctThreshold);
    const stages = context.step < startHintStep ? 0 : hintRatios.length;
    const { kept, stage } = await refineGroups(first, stages, hard, (k, open) =>
      this.resample(
        k,
        open.map((g) => groups[g]!.prompt),
        context,
      ),
    );
    const marked = kept.map((group, g) =>
      group.with(
        { hinted: new Uint8Array(group.rows).fill(Math.min(1, stage[g]!)), stage: new Int32Array(group.rows).fill(stage[g]!) },
        STAGE,
      ),
    );
    const share = (of: readonly boolean[]) => of.filter(Boolean).length / of.length;
    const refined = [...kept.keys()].filter((g) => stage[g]! > 0);
    return {
      groups: groups.map(({ prompt }, g) => ({ prompt, trajectories: kept[g]!.trajectories })),
      batch: Batch.concat(marked),
      state,
      metrics: {
        hardFraction: share(first.map(hard)),
        refinedFraction: refined.length / kept.length,
        stage: statistics.mean(refined.map((g) => stage[g]!)),
        solvedByHint: refined.length === 0 ? Number.NaN : share(refined.map((g) => !hard(kept[g]!))),
      },
    };
  }

  /** New groups behind the hint of stage k; null where there is no reference solution or the hint does not fit. */
  private async resample(k: number, prompts: readonly Prompt[], context: SampleContext<DataState>): Promise<(Batch | null)[]> {
    const hinted = prompts.map((prompt) => this.hintedPrompt(prompt, this.settings.hintRatios[k - 1]!, context));
    const present = hinted.filter((prompt) => prompt !== null);
    if (present.length === 0) return hinted.map(() => null);
    const planned = present.map((prompt) => ({ prompt, count: this.settings.groupSize }));
    // Another stage of the same prompt must get other noise.
    const generate: typeof context.generate = (requests) =>
      context.generate(requests.map((request) => ({ ...request, key: `stage/${k}/${request.key}` })));
    const batch = await context.score(await this.rollout(planned, { ...context, generate }));
    let at = 0;
    return hinted.map((prompt) => (prompt === null ? null : batch.select(batch.groupRows[at++]!)));
  }

  private hintedPrompt(base: Prompt, ratio: number, { prompts }: SampleContext<DataState>): Prompt | null {
    const { solutionField, connector, maxPromptLength } = this.settings;
    const solution = base.fields[solutionField] ?? "";
    if (typeof solution !== "string") {
      throw new DataError(`record ${base.id}: the field "${solutionField}" is no text`, {
        given: solution,
        accepted: "the reference solution",
      });
    }
    if (solution === "") return null;
    try {
      const prompt = prompts.derive(base, base.text + connector + solution.slice(0, hintLength(solution.length, ratio)));
      return { ...prompt, tokens: prompt.tokens.slice(-maxPromptLength) };
    } catch (error) {
      if (error instanceof DataError) return null;
      throw error;
    }
  }
}
