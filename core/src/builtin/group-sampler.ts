import { type Static, Type } from "typebox";
import { options, sampler } from "../extension/component.js";
import type { GenerateRequest, SampleContext, SampleResult, Sampler, State } from "../extension/points.js";
import type { Batch, Group, Prompt } from "../rollout/index.js";

export const groupSamplerOptions = Type.Object({
  groupSize: Type.Integer({ default: 8, minimum: 1, description: "Responses a prompt" }),
  promptsPerStep: Type.Integer({ default: 8, minimum: 1, description: "Prompts a step" }),
  shuffle: Type.Boolean({ default: true, description: "Draw the prompts of each pass over the data in a random order" }),
});

export type GroupSamplerOptions = Static<typeof groupSamplerOptions>;

export interface DataState extends State {
  /** Prompts drawn so far; position and pass follow from it. */
  drawn: number;
}

export interface PlannedGroup {
  prompt: Prompt;
  count: number;
  /** Response tokens that are given to all of them; they count towards the longest response. */
  prefix?: Int32Array;
  /** Columns that all of them shall carry. */
  columns?: GenerateRequest["columns"];
}

/**
 * Collects groups in three steps that a subclass may replace one by one: `plan` chooses prompts and counts, `rollout`
 * generates, `select` keeps. The state is the number of prompts drawn, so that the data order survives a resume.
 */
export abstract class GroupSampler<S extends DataState = DataState> implements Sampler<S> {
  protected abstract readonly settings: GroupSamplerOptions;

  abstract initialState(): S;

  /** Indices of the next `count` prompts in data order, and the state after drawing them. */
  protected draw(count: number, { prompts, random, state }: SampleContext<S>): { indices: number[]; state: S } {
    const passes = new Map<number, Int32Array>();
    const indices = Array.from({ length: count }, (_, i) => {
      const at = state.drawn + i;
      const pass = Math.floor(at / prompts.size);
      if (!this.settings.shuffle) return at % prompts.size;
      // The order of a pass depends on the seed alone, not on the step that asks.
      const order = passes.get(pass) ?? random.root().fork("data-order", pass).permutation(prompts.size);
      passes.set(pass, order);
      return order[at % prompts.size]!;
    });
    return { indices, state: { ...state, drawn: state.drawn + count } };
  }

  protected plan(context: SampleContext<S>): { groups: PlannedGroup[]; state: S } {
    const { indices, state } = this.draw(this.settings.promptsPerStep, context);
    return { groups: indices.map((index) => ({ prompt: context.prompts.get(index), count: this.settings.groupSize })), state };
  }

  protected async rollout(planned: readonly PlannedGroup[], context: SampleContext<S>): Promise<Group[]> {
    const requests = planned.flatMap(({ prompt, count, prefix, columns }, g) => {
      const given = prefix === undefined ? {} : { prefix, maxTokens: Math.max(1, context.maxTokens - prefix.length) };
      return Array.from({ length: count }, (_, i): GenerateRequest => ({ prompt, key: `${g}/${i}`, columns, ...given }));
    });
    const trajectories = await context.generate(requests);
    let at = 0;
    return planned.map(({ prompt, count }) => {
      at += count;
      return { prompt, trajectories: trajectories.slice(at - count, at) };
    });
  }

  /** Which of the scored groups to train on. */
  protected async select(scored: { groups: Group[]; batch: Batch; state: S }, _context: SampleContext<S>): Promise<SampleResult<S>> {
    return { ...scored, metrics: {} };
  }

  async collect(context: SampleContext<S>): Promise<SampleResult<S>> {
    const { groups: planned, state } = this.plan(context);
    const groups = await this.rollout(planned, { ...context, state });
    return this.select({ groups, batch: await context.score(groups), state }, { ...context, state });
  }
}

@sampler({
  id: "independent",
  description: "Groups of independent responses to prompts in (shuffled) data order",
  options: groupSamplerOptions,
  provides: ["group-of-equal-prompts"],
})
export class IndependentSampler extends GroupSampler {
  constructor(@options() protected readonly settings: GroupSamplerOptions) {
    super();
  }

  initialState(): DataState {
    return { version: 1, drawn: 0 };
  }
}
