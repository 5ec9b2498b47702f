import {
  type Batch,
  type DataState,
  type GenerateRequest,
  type Group,
  GroupSampler,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type SampleContext,
  type SampleResult,
  type ScoredGroups,
  type Static,
  sampler,
  statistics,
  Type,
} from "@proximal/core";
import { type CutOptions, cutpoints } from "./chain.js";
import { oldProbs, probThresholdOption } from "./uncertain.js";

export const chainSamplerOptions = Type.Object({
  ...groupSamplerOptions.properties,
  probThreshold: probThresholdOption,
  cutpointInterval: Type.Integer({ default: 5, minimum: 1, description: "Uncertain tokens a segment" }),
  valueSamples: Type.Integer({ default: 9, minimum: 1, description: "Completions that estimate the value at a cut" }),
});

/** Responses with Monte Carlo values at the cuts before their uncertain tokens. SPO-chain (2505.23564). */
@sampler({
  id: "spo-chain",
  description: "Independent responses; fresh completions from the cuts of each estimate the values there",
  options: chainSamplerOptions,
  reads: ["rewards", "oldLogp"],
  writes: [{ name: "cutpointValues", at: "row", dtype: "json" }],
  provides: ["group-of-equal-prompts"],
})
export class ChainSampler extends GroupSampler {
  constructor(@options() protected readonly settings: Static<typeof chainSamplerOptions>) {
    super();
  }

  protected override rollout(planned: readonly PlannedGroup[], context: SampleContext<DataState>): Promise<Group[]> {
    return super.rollout(planned, { ...context, generate: (requests) => context.generate(requests, { continued: true }) });
  }

  protected override async select(scored: ScoredGroups, context: SampleContext<DataState>): Promise<SampleResult<DataState>> {
    const { batch } = scored;
    const probs = oldProbs(batch);
    const cuts = batch.trajectories.map((_, row) =>
      cutpoints(probs.subarray(batch.offsets[row], batch.offsets[row + 1]), this.settings as CutOptions),
    );
    // Responses with the same beginning share its value.
    const keyOf = (row: number, cut: number) => {
      const { prompt, tokens } = batch.trajectories[row]!;
      return `${prompt.id}|${prompt.text}|${tokens.subarray(0, cut + 1).join()}`;
    };
    const prefixes = new Map(cuts.flatMap((list, row) => list.map((cut) => [keyOf(row, cut), { row, cut }] as const)));
    const values = await this.values([...prefixes.values()], batch, context);
    const valueAt = new Map([...prefixes.keys()].map((key, i) => [key, values[i]!]));
    const cutpointValues = cuts.map((list, row) => list.map((cut) => valueAt.get(keyOf(row, cut))!));
    return {
      ...scored,
      batch: batch.with({ cutpointValues }, { cutpointValues: { at: "row", dtype: "json" } }),
      metrics: { valueRollouts: prefixes.size * this.settings.valueSamples, value: statistics.mean(values) },
    };
  }

  /** Mean reward of fresh completions of each prefix. */
  private async values(
    prefixes: readonly { row: number; cut: number }[],
    batch: Batch,
    context: SampleContext<DataState>,
  ): Promise<number[]> {
    if (prefixes.length === 0) return [];
    const { valueSamples } = this.settings;
    const requests = prefixes.flatMap(({ row, cut }) => {
      const { prompt, tokens } = batch.trajectories[row]!;
      const prefix = tokens.subarray(0, cut + 1);
      return Array.from(
        { length: valueSamples },
        (_, i): GenerateRequest => ({ prompt, prefix, maxTokens: context.maxTokens - prefix.length, key: `value/${row}/${cut}/${i}` }),
      );
    });
    const written = await context.generate(requests, { continued: "last" });
    const groups = prefixes.map(({ row }, i) => ({
      prompt: batch.trajectories[row]!.prompt,
      trajectories: written.slice(i * valueSamples, (i + 1) * valueSamples),
    }));
    const rewards = (await context.score(groups)).f64("rewards");
    return prefixes.map((_, i) => {
      const known = rewards.subarray(i * valueSamples, (i + 1) * valueSamples).filter((reward) => !Number.isNaN(reward));
      // Nothing could be verified: the response's own reward leaves the segment without a change.
      return known.length === 0 ? batch.f64("rewards")[prefixes[i]!.row]! : statistics.mean(known);
    });
  }
}
