import {
  type Batch,
  type DataState,
  GroupSampler,
  type GroupSamplerOptions,
  groupSamplerOptions,
  options,
  type SampleContext,
  type SampleResult,
  type Static,
  sampler,
  Type,
  varyingGroups,
} from "@proximal/core";

export const dapoSamplerOptions = Type.Object({
  groupSize: Type.Integer({ default: 16, minimum: 2, description: "Responses a prompt" }),
  targetGroups: Type.Integer({ default: 512, minimum: 1, description: "Groups a step that are trained on" }),
  promptsPerStep: Type.Optional(Type.Integer({ minimum: 1, description: "Prompts of each generation batch; targetGroups when left out" })),
  maxGenBatches: Type.Integer({
    default: 10,
    description: "Generation batches a step before it goes on with fewer groups; 0 or less: no limit",
  }),
  filterMetric: Type.String({
    default: "acc",
    description: "What must vary in a group: acc (the column correct) or another column of numbers",
  }),
  shuffle: groupSamplerOptions.properties.shuffle,
});

/** Keeps the first `targetGroups` groups in which the metric varies, sampling on until there are as many. DAPO (2503.14476), eq. 11. */
@sampler({
  id: "dapo",
  description: "Dynamic sampling: groups whose answers are all right or all wrong are replaced by further ones",
  options: dapoSamplerOptions,
  reads: ["correct"],
  provides: ["group-of-equal-prompts"],
})
export class DapoSampler extends GroupSampler {
  protected readonly settings: GroupSamplerOptions;

  constructor(@options() private readonly o: Static<typeof dapoSamplerOptions>) {
    super();
    this.settings = { ...o, promptsPerStep: o.promptsPerStep ?? o.targetGroups };
  }

  override async collect(context: SampleContext<DataState>): Promise<SampleResult<DataState>> {
    const { targetGroups, maxGenBatches, filterMetric } = this.o;
    const all = { rows: 0, metric: 0 };
    const keep = (batch: Batch): boolean[] => {
      const metric = batch.f64(filterMetric === "acc" ? "correct" : filterMetric);
      const known = metric.filter(Number.isFinite);
      all.rows += known.length;
      all.metric += known.reduce((a, b) => a + b, 0);
      return varyingGroups(metric, batch.groupRows);
    };
    const { batches, generated, ...filled } = await this.refill(context, { target: targetGroups, maxBatches: maxGenBatches, keep });
    return {
      ...filled,
      metrics: {
        genBatches: batches,
        generatedGroups: generated,
        keptGroups: filled.groups.length,
        metricBeforeFilter: all.metric / all.rows,
      },
    };
  }
}
