import {
  type Batch,
  ConfigError,
  type DataState,
  type Group,
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
import { type Allocation, type AllocationOptions, allocate } from "./allocation.js";

const { promptsPerStep, shuffle } = groupSamplerOptions.properties;
const share = (what: string) =>
  Type.Optional(Type.Integer({ minimum: 0, description: `Rollouts of a prompt that was ${what} last time; minRollouts when left out` }));

export const knapsackOptions = Type.Object({
  promptsPerStep,
  shuffle,
  groupSize: Type.Optional(Type.Integer({ minimum: 2, description: "Same as rolloutsPerPrompt" })),
  rolloutsPerPrompt: Type.Integer({ default: 8, minimum: 2, description: "Rollouts a prompt on average" }),
  minRollouts: Type.Integer({ default: 2, minimum: 1, description: "Fewest rollouts of a prompt that was solved in part" }),
  maxRollouts: Type.Integer({ default: 128, minimum: 1, description: "Most rollouts of such a prompt" }),
  zeroRollouts: share("never solved"),
  oneRollouts: share("always solved"),
  confidence: Type.Number({
    default: 0.9,
    exclusiveMinimum: 0,
    exclusiveMaximum: 1,
    description: "Probability of both outcomes for which the need of a prompt is estimated",
  }),
  costEstimate: Type.Enum(["probability", "expectation"], { default: "probability", description: "How the need is estimated" }),
  redistributeExcess: Type.Boolean({ default: true, description: "Give what is not needed to prompts that were never solved" }),
  totalBudget: Type.Optional(
    Type.Integer({ minimum: 1, description: "Rollouts a step; promptsPerStep · rolloutsPerPrompt when left out" }),
  ),
});

export interface KnapsackState extends DataState {
  /** By prompt id: share of correct responses at its last visit, and their number. */
  memory: Readonly<Record<string, { rate: number; count: number }>>;
}

/**
 * Groups of unequal size: rollouts go where they most probably give a signal, by the success rate of the last visit. Prompts
 * that were never seen get the average. Knapsack RL (2509.25849).
 */
@sampler({
  id: "knapsack-rl",
  description: "Splits the step's rollouts over its prompts by learning value, so that groups differ in size",
  options: knapsackOptions,
  reads: ["rewards", "correct"],
  provides: ["group-of-equal-prompts"],
})
export class KnapsackSampler extends StatefulGroupSampler<KnapsackState> {
  protected readonly settings: Static<typeof knapsackOptions> & { groupSize: number };

  constructor(@options() o: Static<typeof knapsackOptions>) {
    super();
    const groupSize = o.groupSize ?? o.rolloutsPerPrompt;
    if (o.minRollouts > o.maxRollouts) {
      throw new ConfigError("minRollouts is above maxRollouts", {
        path: "minRollouts",
        given: o.minRollouts,
        accepted: `up to ${o.maxRollouts}`,
      });
    }
    this.settings = { ...o, groupSize, rolloutsPerPrompt: groupSize };
  }

  initialState(): KnapsackState {
    return { version: 1, drawn: 0, memory: {} };
  }

  override async collect(context: SampleContext<KnapsackState>): Promise<SampleResult<KnapsackState>> {
    const { groups: uniform, state } = this.plan(context);
    const rates = uniform.map(({ prompt }) => state.memory[prompt.id]?.rate ?? null);
    const plan = allocate(rates, this.settings as AllocationOptions);
    const planned = uniform.flatMap(({ prompt }, i): PlannedGroup[] =>
      plan.allocation[i] === 0 ? [] : [{ prompt, count: plan.allocation[i]! }],
    );
    const groups = await this.rollout(planned, { ...context, state });
    const batch = await context.score(groups);
    return { groups, batch, state: remember(groups, batch, state), metrics: metricsOf(plan, rates, batch) };
  }
}

function remember(groups: readonly Group[], batch: Batch, state: KnapsackState): KnapsackState {
  const correct = batch.f64("correct");
  const memory = { ...state.memory };
  groups.forEach(({ prompt }, g) => {
    const seen = statistics.take(correct, batch.groupRows[g]!).filter(Number.isFinite);
    if (seen.length > 0) memory[prompt.id] = { rate: statistics.mean(seen), count: seen.length };
  });
  return { ...state, memory };
}

function metricsOf({ allocation, redistributed }: Allocation, rates: readonly (number | null)[], batch: Batch) {
  const rewards = batch.f64("rewards");
  const varying = batch.groupRows.filter((rows) => !statistics.constant(statistics.take(rewards, rows)));
  return {
    informativeGroups: varying.length / Math.max(1, batch.groups),
    largestGroup: Math.max(...allocation),
    unseenFraction: rates.filter((rate) => rate === null).length / rates.length,
    redistributed: Number(redistributed),
  };
}
