import {
  type DataState,
  type GenerateRequest,
  type Group,
  GroupSampler,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type SampleContext,
  type Static,
  sampler,
  Type,
} from "@proximal/core";

export const contrastSamplerOptions = Type.Object({
  ...groupSamplerOptions.properties,
  forceContrast: Type.Boolean({ default: false, description: "Half of each group must construct, the other half must not" }),
  auxTag: Type.String({ default: "<aux>", description: "Start of a construction, given to the responses that must construct" }),
  forbidTemplate: Type.String({
    default: "{prompt}\nDo not make any auxiliary construction.",
    description: "Prompt of the responses that must not",
  }),
});

/**
 * Independent groups; with `forceContrast` the first ⌊G/2⌋ responses of a group begin with the construction tag (given, not
 * trained on), the others answer a prompt that forbids constructions. GCPO (2506.07160), second reading.
 */
@sampler({
  id: "gcpo",
  description: "Independent responses, or half of each group with and half without an auxiliary construction",
  options: contrastSamplerOptions,
})
export class ContrastSampler extends GroupSampler {
  constructor(@options() protected readonly settings: Static<typeof contrastSamplerOptions>) {
    super();
  }

  protected override async rollout(planned: readonly PlannedGroup[], context: SampleContext<DataState>): Promise<Group[]> {
    const { forceContrast, auxTag, forbidTemplate } = this.settings;
    if (!forceContrast) return super.rollout(planned, context);
    const prefix = context.policy.tokenizer.encode(auxTag, { special: false });
    const requests = planned.flatMap(({ prompt, count }, g) => {
      const without = context.prompts.derive(
        prompt,
        forbidTemplate.replace("{prompt}", () => prompt.text),
      );
      return Array.from({ length: count }, (_, i): GenerateRequest => {
        const key = `${g}/${i}`;
        return i < Math.floor(count / 2) ? { prompt, prefix, key } : { prompt: without, key };
      });
    });
    const trajectories = await context.generate(requests);
    let at = 0;
    return planned.map(({ prompt, count }) => {
      at += count;
      return { prompt, trajectories: trajectories.slice(at - count, at) };
    });
  }
}
