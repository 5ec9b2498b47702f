import {
  type DataState,
  GroupSampler,
  groupSamplerOptions,
  options,
  type SampleContext,
  type SampleResult,
  type Static,
  sampler,
  Type,
  textPattern,
  tokenOffsets,
} from "@proximal/core";
import { PRECISION_PATTERN, precisionWeights } from "./precision.js";

export const cadSamplerOptions = Type.Object({
  ...groupSamplerOptions.properties,
  heavyWeight: Type.Number({ default: 2, minimum: 1, description: "ω of precision tokens; 1 for all others" }),
  precisionTokens: Type.String({
    default: PRECISION_PATTERN,
    description: "Regular expression of what precision tokens spell: numbers and operations that shape the geometry",
  }),
});

/** Independent groups whose tokens carry weights: heavy where they spell numbers or operations. CAD-RL (2508.10118). */
@sampler({
  id: "cad-rl",
  description: "Independent responses; tokens of numbers and geometric operations weigh more",
  options: cadSamplerOptions,
  writes: ["tokenWeights"],
  provides: ["group-of-equal-prompts"],
})
export class PrecisionSampler extends GroupSampler {
  private readonly pattern: RegExp;

  constructor(@options() protected readonly settings: Static<typeof cadSamplerOptions>) {
    super();
    this.pattern = textPattern(settings.precisionTokens, "precisionTokens", "gu");
  }

  protected override async select(
    scored: Parameters<GroupSampler["select"]>[0],
    context: SampleContext<DataState>,
  ): Promise<SampleResult<DataState>> {
    const { groups, batch, state } = await super.select(scored, context);
    const { tokenizer } = context.policy;
    const weights = batch.trajectories.map(({ tokens }) =>
      precisionWeights(tokenizer.decode(tokens), tokenOffsets(tokenizer, tokens), this.pattern, this.settings.heavyWeight),
    );
    const heavy = weights.flatMap((row) => [...row]).filter((weight) => weight > 1).length;
    return {
      groups,
      batch: batch.with({ tokenWeights: weights.map((row) => [...row]) }),
      state,
      metrics: { heavyFraction: batch.tokens === 0 ? 0 : heavy / batch.tokens },
    };
  }
}
