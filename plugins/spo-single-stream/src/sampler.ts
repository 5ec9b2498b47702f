import {
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type SampleContext,
  type SampleResult,
  StatefulGroupSampler,
  type Static,
  sampler,
  Type,
} from "@proximal/core";
import { initialState, type SpoState, STATE, trackerOf } from "./state.js";
import { initialTracker, priority } from "./tracker.js";

export const spoSamplerOptions = Type.Object({
  promptsPerStep: Type.Integer({ default: 64, minimum: 1, description: "Prompts a step, one response each" }),
  groupSize: Type.Literal(1, { default: 1, description: "One response a prompt" }),
  shuffle: groupSamplerOptions.properties.shuffle,
  explorationEps: Type.Number({ default: 0.05, minimum: 0, description: "Floor of the sampling weights" }),
  offlineTrials: Type.Integer({
    default: 8,
    minimum: 0,
    description: "Responses a prompt that initialise the tracker, before the first step",
  }),
  rhoMin: Type.Number({ default: 0.875, minimum: 0, exclusiveMaximum: 1, description: "Fixes the initial count 1 / (1 - rhoMin)" }),
});

/** Draws prompts with probability ∝ sqrt(v(1 - v)) + ε, without replacement, one response each. SPO (2509.13232). */
@sampler({
  id: "spo-single-stream",
  description: "One response a prompt; prompts whose success is uncertain are drawn more often",
  options: spoSamplerOptions,
  reads: ["rewards"],
  sharedState: STATE,
})
export class SpoSampler extends StatefulGroupSampler<SpoState> {
  constructor(@options() protected readonly settings: Static<typeof spoSamplerOptions>) {
    super();
  }

  initialState(): SpoState {
    return initialState();
  }

  override async collect(context: SampleContext<SpoState>): Promise<SampleResult<SpoState>> {
    const known = Object.keys(context.state.trackers).length > 0 || this.settings.offlineTrials === 0;
    return super.collect(known ? context : { ...context, state: await this.offline(context) });
  }

  /** Trackers of the whole pool from responses of the initial policy; a success is a reward above 0. */
  private async offline(context: SampleContext<SpoState>): Promise<SpoState> {
    const { offlineTrials, rhoMin } = this.settings;
    const pool = Array.from({ length: context.prompts.size }, (_, i) => context.prompts.get(i));
    const groups = await this.rollout(
      pool.map((prompt) => ({ prompt, count: offlineTrials })),
      { ...context, random: context.random.fork("offline") },
    );
    const batch = await context.score(groups);
    const rewards = batch.f64("rewards");
    const trackers = Object.fromEntries(
      pool.map((prompt, g) => [
        prompt.id,
        initialTracker(batch.groupRows[g]!.filter((row) => rewards[row]! > 0).length, offlineTrials, rhoMin),
      ]),
    );
    return { ...context.state, trackers };
  }

  protected override plan({ prompts, random, state }: SampleContext<SpoState>): { groups: PlannedGroup[]; state: SpoState } {
    const pool = Array.from({ length: prompts.size }, (_, i) => prompts.get(i));
    const weights = Float64Array.from(pool, (prompt) => priority(trackerOf(state, prompt.id), this.settings.explorationEps));
    const stream = random.fork("prompts");
    const replacement = this.settings.promptsPerStep > pool.length;
    const groups = Array.from({ length: this.settings.promptsPerStep }, () => {
      const index = stream.weighted(weights);
      if (!replacement) weights[index] = 0;
      return { prompt: pool[index]!, count: 1 };
    });
    return { groups, state: { ...state, drawn: state.drawn + groups.length } };
  }
}
