import { type Static, Type } from "typebox";
import { options, sampler } from "../extension/component.js";
import type { GenerateRequest, SampleContext, SampleResult, Sampler, State } from "../extension/points.js";
import { Batch, type Group, type Prompt } from "../rollout/index.js";
import { constant, take } from "./statistics.js";

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

export interface RefillOptions {
  /** Groups wanted. */
  target: number;
  /** Batches after which it gives up; 0 or less: never. */
  maxBatches: number;
  /** Which groups of a scored batch to keep. */
  keep(batch: Batch): readonly boolean[];
}

export interface Refilled<S> {
  /** At most `target`, in order of arrival. */
  groups: Group[];
  /** The rows of the kept groups. */
  batch: Batch;
  state: S;
  /** Batches that were generated, and their groups. */
  batches: number;
  generated: number;
}

/** Groups in which `metric` [B] is not constant: only these give a relative signal. A group of one is kept. */
export const varyingGroups = (metric: ArrayLike<number>, groupRows: readonly ArrayLike<number>[]): boolean[] =>
  groupRows.map((rows) => rows.length === 1 || !constant(take(metric, rows).filter(Number.isFinite)));

/** Positions of the first `target` groups that are kept, in order of arrival. */
export const firstKept = (keep: readonly boolean[], target: number): number[] =>
  keep.flatMap((kept, group) => (kept ? [group] : [])).slice(0, target);

/** Sampled groups with their scored rows, and the state after drawing them. */
export interface ScoredGroups<S extends DataState = DataState> {
  groups: Group[];
  batch: Batch;
  state: S;
}

/**
 * Collects groups in three steps that a subclass may replace one by one: `plan` chooses prompts and counts, `rollout`
 * generates, `select` keeps. The state holds the number of prompts drawn, so that the data order survives a resume.
 */
export abstract class StatefulGroupSampler<S extends DataState> implements Sampler<S> {
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
  protected async select(scored: ScoredGroups<S>, _context: SampleContext<S>): Promise<SampleResult<S>> {
    return { ...scored, metrics: {} };
  }

  /** Plans, samples and scores batch after batch until `target` groups are kept; what is beyond the target is dropped. */
  protected async refill(context: SampleContext<S>, { target, maxBatches, keep }: RefillOptions): Promise<Refilled<S>> {
    const groups: Group[] = [];
    const parts: Batch[] = [];
    let { state } = context;
    let [batches, generated] = [0, 0];
    while (groups.length < target && (batches < maxBatches || maxBatches <= 0)) {
      const round = batches++;
      // What comes again in a later batch of the same step must get other noise.
      const generate: typeof context.generate = (requests, options) => {
        const named = requests.map((request, i) => ({ ...request, key: `${round}:${request.key ?? i}` }));
        return context.generate(named, options);
      };
      const own = { ...context, generate, random: context.random.fork("refill", round) };
      const planned = this.plan({ ...own, state });
      state = planned.state;
      const drawn = await this.rollout(planned.groups, { ...own, state });
      const batch = await context.score(drawn);
      generated += drawn.length;
      const chosen = firstKept(keep(batch), target - groups.length);
      groups.push(...chosen.map((group) => drawn[group]!));
      parts.push(batch.select(chosen.flatMap((group) => [...batch.groupRows[group]!])));
    }
    return { groups, batch: Batch.concat(parts), state, batches, generated };
  }

  async collect(context: SampleContext<S>): Promise<SampleResult<S>> {
    const { groups: planned, state } = this.plan(context);
    const groups = await this.rollout(planned, { ...context, state });
    return this.select({ groups, batch: await context.score(groups), state }, { ...context, state });
  }
}

/** The same without memory beside the place in the data. */
export abstract class GroupSampler extends StatefulGroupSampler<DataState> {
  initialState(): DataState {
    return { version: 1, drawn: 0 };
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
}
