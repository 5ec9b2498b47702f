import {
  DataError,
  type DataState,
  type Group,
  GroupSampler,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type Prompt,
  type RunFacts,
  rescored,
  runFacts,
  type SampleContext,
  type Static,
  sampler,
  type Trajectory,
  Type,
} from "@proximal/core";

export const demonstrationOptions = Type.Object({
  promptsPerStep: Type.Integer({ default: 64, minimum: 1, description: "Demonstrations a step" }),
  groupSize: Type.Literal(1, { default: 1, description: "One demonstration a prompt" }),
  shuffle: groupSamplerOptions.properties.shuffle,
  targetField: Type.String({
    default: "target",
    description: "Field of a record: the text to learn (chain of thought with the new fact); the first accepted answer where it is missing",
  }),
});

/** Demonstrations in place of samples: each prompt's target text, with its log-probs under the present policy as snapshot. */
@sampler({
  id: "etcon",
  description: "The target texts of the data set as responses, anchored on the policy at the start of the step",
  options: demonstrationOptions,
})
export class DemonstrationSampler extends GroupSampler {
  constructor(
    @options() protected readonly settings: Static<typeof demonstrationOptions>,
    @runFacts() private readonly run: RunFacts,
  ) {
    super();
  }

  private targetOf({ id, fields, golds }: Prompt): string {
    const given = fields[this.settings.targetField] ?? golds[0];
    if (typeof given === "string" && given !== "") return given;
    throw new DataError(`record ${id} has neither a text in the field "${this.settings.targetField}" nor an answer`, { given });
  }

  protected override async rollout(planned: readonly PlannedGroup[], { policy }: SampleContext<DataState>): Promise<Group[]> {
    const { tokenizer, info } = policy;
    const trajectories = planned.map(({ prompt }): Trajectory => {
      const text = this.targetOf(prompt);
      const tokens = Int32Array.from([...tokenizer.encode(text), ...tokenizer.stopTokens.slice(0, 1)]);
      if (prompt.tokens.length + tokens.length > info.contextLength) {
        throw new DataError(`record ${prompt.id}: prompt and target have more tokens than the context`, {
          given: prompt.tokens.length + tokens.length,
          accepted: `at most ${info.contextLength}`,
        });
      }
      return {
        prompt,
        tokens,
        mask: new Uint8Array(tokens.length).fill(1),
        logp: new Float64Array(tokens.length),
        text,
        finish: "stop",
        temperature: this.run.temperature,
      };
    });
    const anchored = await rescored(trajectories, policy);
    return planned.map(({ prompt }, g) => ({ prompt, trajectories: [anchored[g]!] }));
  }
}
