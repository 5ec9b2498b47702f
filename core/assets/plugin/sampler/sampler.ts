import {
  type Batch,
  type DataState,
  GroupSampler,
  groupSamplerOptions,
  options,
  type SampleResult,
  type ScoredGroups,
  type Static,
  sampler,
  Type,
} from "@proximal/core";

export const samplerOptions = Type.Object({
  ...groupSamplerOptions.properties,
  minSpread: Type.Number({ default: 1e-6, minimum: 0, description: "Least difference between the best and the worst reward of a group" }),
});

/** [G] max - min of the rewards of each group is at least `minSpread`. */
export const spreads = (batch: Batch, minSpread: number): boolean[] =>
  batch.groupRows.map((rows) => {
    const rewards = Array.from(rows, (row) => batch.f64("rewards")[row]!).filter(Number.isFinite);
    return rewards.length > 0 && Math.max(...rewards) - Math.min(...rewards) >= minSpread;
  });

/** Trains on the groups whose rewards differ: the others give no relative signal. The filter of DAPO (2503.14476), eq. 11. */
@sampler({
  id: "my-slug",
  description: "Independent groups, of which those without a spread of rewards are dropped",
  options: samplerOptions,
  reads: ["rewards"],
  provides: ["group-of-equal-prompts"],
})
export class MySlugSampler extends GroupSampler {
  constructor(@options() protected readonly settings: Static<typeof samplerOptions>) {
    super();
  }

  protected override async select({ groups, batch, state }: ScoredGroups): Promise<SampleResult<DataState>> {
    const keep = spreads(batch, this.settings.minSpread);
    const rows = batch.groupRows.flatMap((own, g) => (keep[g] ? [...own] : []));
    const kept = groups.filter((_, g) => keep[g]);
    return { groups: kept, batch: batch.select(rows), state, metrics: { keptGroups: kept.length / groups.length } };
  }
}
