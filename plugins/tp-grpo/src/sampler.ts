import {
  type Batch,
  type DataState,
  type Group,
  groupSamplerOptions,
  options,
  type RunFacts,
  runFacts,
  type SampleContext,
  type SampleResult,
  StatefulGroupSampler,
  type Static,
  sampler,
  Type,
} from "@proximal/core";
import { type Evaluator, evaluateByJudge, evaluateBySignals } from "./evaluator.js";
import { segments, tokenLengths } from "./segments.js";
import type { Span } from "./thoughts.js";

const { groupSize, promptsPerStep, shuffle } = groupSamplerOptions.properties;

export const tpSamplerOptions = Type.Object({
  groupSize,
  promptsPerStep: Type.Integer({ ...promptsPerStep, default: 5 }),
  shuffle,
  stepsPerRound: Type.Integer({ default: 50, minimum: 1, description: "Training steps that one round of sampling and judging serves" }),
  stepDelimiter: Type.String({ default: "\n\n", minLength: 1, description: "Text that ends a step of the thinking part" }),
  thinkEnd: Type.String({ default: "</think>", minLength: 1, description: "Text that ends the thinking part; the answer segment follows" }),
});

export interface RoundState extends DataState {
  /** Labelled groups of the steps to come, one entry a step. */
  round: readonly (readonly Group[])[];
  /** Steps that the present round has served so far. */
  served: number;
}

/**
 * Samples the groups of many steps at once, labels the steps of every solution, then serves them step by step: the process
 * evaluation runs once a round, in parallel. TP-GRPO (2507.23317).
 */
@sampler({
  id: "tp-grpo",
  description: "Rounds of independent groups whose solutions are cut into steps, labelled from self-reflections and answer matches",
  options: tpSamplerOptions,
  reads: ["rewards"],
  writes: [{ name: "steps", at: "row", dtype: "json" }],
  provides: ["group-of-equal-prompts"],
})
export class TpSampler extends StatefulGroupSampler<RoundState> {
  constructor(
    @options() protected readonly settings: Static<typeof tpSamplerOptions>,
    @runFacts() private readonly run: RunFacts,
  ) {
    super();
  }

  initialState(): RoundState {
    return { version: 1, drawn: 0, round: [], served: 0 };
  }

  protected evaluator(_context: SampleContext<RoundState>): Evaluator {
    return evaluateBySignals;
  }

  override async collect(context: SampleContext<RoundState>): Promise<SampleResult<RoundState>> {
    const state = context.state.round.length > 0 ? context.state : await this.newRound(context);
    const [groups, ...round] = state.round;
    return {
      groups: groups!,
      batch: await context.score(groups!),
      state: { ...state, round, served: state.served + 1 },
      metrics: { age: state.served },
    };
  }

  private async newRound(context: SampleContext<RoundState>): Promise<RoundState> {
    const { stepsPerRound, promptsPerStep, groupSize } = this.settings;
    // A round that outlasts the run would be sampled in vain.
    const steps = Math.max(1, Math.min(stepsPerRound, this.run.totalSteps - context.step));
    const { indices, state } = this.draw(steps * promptsPerStep, context);
    const planned = indices.map((index) => ({ prompt: context.prompts.get(index), count: groupSize }));
    const groups = await this.rollout(planned, context);
    const labelled = await this.labelled(groups, await context.score(groups), context);
    const round = Array.from({ length: steps }, (_, i) => labelled.slice(i * promptsPerStep, (i + 1) * promptsPerStep));
    return { ...state, round, served: 0 };
  }

  private async labelled(groups: readonly Group[], batch: Batch, context: SampleContext<RoundState>): Promise<Group[]> {
    const rewards = batch.f64("rewards");
    const texts = batch.trajectories.map(({ text }) => segments(text, this.settings));
    const solutions = batch.trajectories.map(({ prompt }, row) => ({
      prompt: prompt.text,
      segments: texts[row]!,
      isRight: rewards[row]! > 0,
    }));
    const labels = await this.evaluator(context)(solutions);
    const steps = batch.trajectories.map(({ tokens }, row): Span[] =>
      tokenLengths(texts[row]!, tokens, context.policy.tokenizer).map((length, i) => ({ label: labels[row]![i]!, length })),
    );
    let row = 0;
    return groups.map(({ prompt, trajectories }) => ({
      prompt,
      trajectories: trajectories.map((trajectory) => ({ ...trajectory, columns: { ...trajectory.columns, steps: steps[row++]! } })),
    }));
  }
}

/** The same with labels from a judge. */
@sampler({
  id: "tp-grpo-judge",
  description: "Rounds of independent groups whose solutions are cut into steps, labelled by a judge",
  options: tpSamplerOptions,
  reads: ["rewards"],
  writes: [{ name: "steps", at: "row", dtype: "json" }],
  provides: ["group-of-equal-prompts"],
  requires: ["judge"],
})
export class TpJudgeSampler extends TpSampler {
  constructor(@options() settings: Static<typeof tpSamplerOptions>, @runFacts() run: RunFacts) {
    super(settings, run);
  }

  protected override evaluator({ services }: SampleContext<RoundState>): Evaluator {
    return evaluateByJudge(services.judge);
  }
}
