import {
  type DataState,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type SampleContext,
  type SampleResult,
  StatefulGroupSampler,
  type Static,
  sampler,
  statistics,
  Type,
} from "@proximal/core";
import { allocationRatios, integerAllocation } from "./allocation.js";
import { probeStatistics } from "./probe.js";

const { promptsPerStep, shuffle } = groupSamplerOptions.properties;

export const gvmSamplerOptions = Type.Object({
  promptsPerStep,
  shuffle,
  groupSize: Type.Optional(Type.Integer({ minimum: 1, description: "Same as rolloutsPerPrompt" })),
  rolloutsPerPrompt: Type.Integer({ default: 8, minimum: 1, description: "Average responses a prompt" }),
  probeRollouts: Type.Integer({
    default: 8,
    minimum: 1,
    description: "Responses a prompt that estimate acceptance rate and gradient norm",
  }),
  roundSteps: Type.Integer({ default: 10, minimum: 1, description: "Steps between two allocations" }),
  alpha: Type.Number({ default: 0.001, minimum: 0, description: "Damping of prompts with a low acceptance rate" }),
  beta: Type.Number({ default: 2, minimum: 1, description: "Exponent of the damping" }),
  maxAcceptRate: Type.Number({ default: 0, minimum: 0, maximum: 1, description: "Drop prompts with a higher acceptance rate; 0 = off" }),
  minExpectedAccepted: Type.Number({ default: 0, minimum: 0, description: "Drop prompts with fewer expected hits; 0 = off" }),
  gradParams: Type.Array(Type.String(), {
    default: [],
    description: "Parts of the names of the parameters whose gradient counts; empty = the token embedding",
  }),
});

export interface GvmState extends DataState {
  /** Prompts of the present round and their responses; `at` is the next one. */
  round: { prompts: number[]; counts: number[]; at: number };
}

const hasWork = ({ counts, at }: GvmState["round"]): boolean => counts.slice(at).some((count) => count > 0);

/** Spends the responses of a round where they reduce the variance of the gradient most. GVM-RAFT (2505.02391). */
@sampler({
  id: "gvm-raft",
  description: "Once a round, probes every prompt and splits the budget by acceptance rate and gradient norm",
  options: gvmSamplerOptions,
  reads: ["rewards"],
  requires: ["likelihoodGradient"],
  provides: ["group-of-equal-prompts"],
})
export class GvmSampler extends StatefulGroupSampler<GvmState> {
  protected readonly settings: Static<typeof gvmSamplerOptions> & { groupSize: number };

  constructor(@options() o: Static<typeof gvmSamplerOptions>) {
    super();
    const rolloutsPerPrompt = o.groupSize ?? o.rolloutsPerPrompt;
    this.settings = { ...o, rolloutsPerPrompt, groupSize: rolloutsPerPrompt };
  }

  initialState(): GvmState {
    return { version: 1, drawn: 0, round: { prompts: [], counts: [], at: 0 } };
  }

  override async collect(context: SampleContext<GvmState>): Promise<SampleResult<GvmState>> {
    if (hasWork(context.state.round)) return super.collect(context);
    const { state, metrics } = await this.newRound(context);
    const result = await super.collect({ ...context, state });
    return { ...result, metrics: { ...result.metrics, ...metrics } };
  }

  private async newRound(context: SampleContext<GvmState>) {
    const { promptsPerStep, roundSteps, probeRollouts, rolloutsPerPrompt, gradParams } = this.settings;
    const { indices, state } = this.draw(Math.min(promptsPerStep * roundSteps, context.prompts.size), context);
    const prompts = indices.map((index) => context.prompts.get(index));
    const requests = prompts.flatMap((prompt) => Array.from({ length: probeRollouts }, (_, i) => ({ prompt, key: `probe/${i}` })));
    const probes = await context.generate(requests);
    const batch = await context.score(
      prompts.map((prompt, p) => ({ prompt, trajectories: probes.slice(p * probeRollouts, (p + 1) * probeRollouts) })),
    );
    const { successRate, gradNorm } = await probeStatistics(batch, gradParams, context.services);
    const budget = rolloutsPerPrompt * prompts.length;
    const counts = integerAllocation(allocationRatios(gradNorm, successRate, budget, this.settings), budget);
    const metrics = {
      probeAcceptRate: statistics.mean(successRate),
      probeGradNorm: statistics.mean(gradNorm),
      largestAllocation: Math.max(...counts),
      skippedPrompts: counts.filter((count) => count === 0).length / counts.length,
    };
    return { state: { ...state, round: { prompts: indices, counts, at: 0 } }, metrics };
  }

  /** The next mini-batch of the round in which some prompt has responses. */
  protected override plan({ prompts, state }: SampleContext<GvmState>): { groups: PlannedGroup[]; state: GvmState } {
    const { round } = state;
    let { at } = round;
    let groups: PlannedGroup[] = [];
    while (groups.length === 0 && hasWork({ ...round, at })) {
      const end = at + this.settings.promptsPerStep;
      groups = round.prompts
        .slice(at, end)
        .map((index, i) => ({ prompt: prompts.get(index), count: round.counts[at + i]! }))
        .filter(({ count }) => count > 0);
      at = end;
    }
    return { groups, state: { ...state, round: { ...round, at } } };
  }
}
