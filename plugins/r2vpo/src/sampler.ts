import {
  type DataState,
  type Group,
  groupSamplerOptions,
  options,
  type SampleContext,
  type SampleResult,
  StatefulGroupSampler,
  type Static,
  sampler,
  Type,
} from "@proximal/core";

export const replayOptions = Type.Object({
  ...groupSamplerOptions.properties,
  replaySize: Type.Integer({ default: 0, minimum: 0, description: "Earlier batches that are trained on again; 0 = on-policy" }),
});

export interface ReplayState extends DataState {
  /** Batches of groups with the log-probs at which they were drawn, the latest first. */
  stored: readonly (readonly Group[])[];
}

/**
 * Fresh groups followed by those of the last `replaySize` steps. A stored response keeps the log-probs of the policy that drew
 * it, so that its ratio is taken to that policy; it is scored again with its batch. R2VPO (2601.03320), off-policy form.
 */
@sampler({
  id: "r2vpo-replay",
  description: "Groups of independent responses, with those of the last steps used again",
  options: replayOptions,
  provides: ["group-of-equal-prompts"],
})
export class ReplaySampler extends StatefulGroupSampler<ReplayState> {
  constructor(@options() protected readonly settings: Static<typeof replayOptions>) {
    super();
  }

  initialState(): ReplayState {
    return { version: 1, drawn: 0, stored: [] };
  }

  override async collect(context: SampleContext<ReplayState>): Promise<SampleResult<ReplayState>> {
    const { groups: planned, state } = this.plan(context);
    const fresh = await this.rollout(planned, { ...context, state });
    const groups = [...fresh, ...state.stored.flat()];
    const stored = [fresh, ...state.stored].slice(0, this.settings.replaySize);
    return {
      groups,
      batch: await context.score(groups),
      state: { ...state, stored },
      metrics: { staleFraction: 1 - fresh.length / groups.length },
    };
  }
}
