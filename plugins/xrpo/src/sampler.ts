import {
  Batch,
  behindExamples,
  type DataState,
  type Group,
  groupSamplerOptions,
  options,
  type Prompt,
  type SampleContext,
  type SampleResult,
  StatefulGroupSampler,
  type Static,
  sampler,
  statistics,
  Type,
  withPrompts,
} from "@proximal/core";
import { allFailed, allocatePhase } from "./allocator.js";
import { nearestSolved, type Solved } from "./corpus.js";

const { promptsPerStep, shuffle } = groupSamplerOptions.properties;

export const xrpoSamplerOptions = Type.Object({
  promptsPerStep,
  shuffle,
  groupSize: Type.Optional(Type.Integer({ minimum: 2, description: "Same as rolloutsPerPrompt" })),
  phases: Type.Integer({ default: 3, minimum: 1, description: "Planning rounds within a step" }),
  baseRollouts: Type.Integer({ default: 4, minimum: 2, description: "Responses a prompt in the first phase" }),
  rolloutsPerPrompt: Type.Integer({ default: 16, minimum: 2, description: "Average responses a prompt, at least baseRollouts" }),
  confidence: Type.Number({
    default: 0.95,
    exclusiveMinimum: 0,
    exclusiveMaximum: 1,
    description: "Of the interval around a prompt's mean reward",
  }),
  explorationWeight: Type.Number({ default: 0.1, minimum: 0, description: "λ: bonus of prompts that were tried little" }),
  icl: Type.Boolean({ default: true, description: "Show solved examples to prompts whose responses all failed" }),
  iclExamples: Type.Integer({ default: 2, minimum: 1, description: "Examples shown" }),
  trainOnPlainPrompt: Type.Boolean({ default: true, description: "Train seeded responses as answers to the plain prompt" }),
  exampleTemplate: Type.String({
    default: "{question}\n{answer}\n\n",
    description: "An example; all of them stand in front of the prompt",
  }),
});

export interface XrpoState extends DataState {
  /** Solved prompts by id. */
  corpus: Record<string, Solved>;
}

/** One phase's rows: the batch and the prompt (place among those of the step) of each row. */
interface Phase {
  batch: Batch;
  of: number[];
}

/** Spends a step's responses in phases where they reduce uncertainty most; shows solved examples to hopeless prompts. XRPO (2510.06672). */
@sampler({
  id: "xrpo",
  description: "Phases of responses to the prompts with the widest reward interval; examples in front of prompts that only fail",
  options: xrpoSamplerOptions,
  reads: ["rewards"],
  writes: ["hinted"],
  provides: ["group-of-equal-prompts"],
})
export class XrpoSampler extends StatefulGroupSampler<XrpoState> {
  protected readonly settings: Static<typeof xrpoSamplerOptions> & { groupSize: number };

  constructor(@options() o: Static<typeof xrpoSamplerOptions>) {
    super();
    const rolloutsPerPrompt = Math.max(o.groupSize ?? o.rolloutsPerPrompt, o.baseRollouts);
    this.settings = { ...o, rolloutsPerPrompt, groupSize: rolloutsPerPrompt };
  }

  initialState(): XrpoState {
    return { version: 1, drawn: 0, corpus: {} };
  }

  override async collect(context: SampleContext<XrpoState>): Promise<SampleResult<XrpoState>> {
    const { phases, baseRollouts, rolloutsPerPrompt } = this.settings;
    const drawn = this.draw(this.settings.promptsPerStep, context);
    const prompts = drawn.indices.map((index) => context.prompts.get(index));
    let { corpus } = context.state;
    const first = prompts.map(() => (phases === 1 ? rolloutsPerPrompt : baseRollouts));
    const done = [await this.phase(0, prompts, first, corpus, [], context)];
    const budget = rolloutsPerPrompt * prompts.length - sum(first);
    for (let k = 1; k < phases; k++) {
      corpus = withSolved(corpus, prompts, done.at(-1)!);
      const rewards = rewardsOf(done, prompts.length);
      const share = Math.floor((budget * k) / (phases - 1)) - Math.floor((budget * (k - 1)) / (phases - 1));
      const { allocation } = allocatePhase(rewards, share, this.settings);
      done.push(await this.phase(k, prompts, allocation, corpus, rewards.map(allFailed), context));
    }
    corpus = withSolved(corpus, prompts, done.at(-1)!);
    return this.merged(prompts, done, { ...drawn.state, corpus }, context);
  }

  /** `counts[q]` responses to each prompt, behind solved examples where `failed[q]`. */
  private async phase(
    k: number,
    prompts: readonly Prompt[],
    counts: readonly number[],
    corpus: XrpoState["corpus"],
    failed: readonly boolean[],
    context: SampleContext<XrpoState>,
  ): Promise<Phase> {
    const { icl, iclExamples, exampleTemplate } = this.settings;
    const shown = ({ question, answer }: Solved) => exampleTemplate.replace("{question}", () => question).replace("{answer}", () => answer);
    const seeded = prompts.map((prompt, q) =>
      icl && failed[q] ? behindExamples(prompt, nearestSolved(corpus, prompt, iclExamples).map(shown), context.prompts) : null,
    );
    const of = counts.flatMap((count, q) => new Array<number>(count).fill(q));
    const requests = of.map((q, i) => ({
      prompt: seeded[q] ?? prompts[q]!,
      key: `${q}/${k}/${i - of.indexOf(q)}`,
      columns: { hinted: Number(seeded[q] !== null) },
    }));
    const trajectories = await context.generate(requests);
    const present = [...new Set(of)];
    const groups = present.map((q) => ({ prompt: prompts[q]!, trajectories: trajectories.filter((_, i) => of[i] === q) }));
    return { batch: await context.score(groups), of };
  }

  private async merged(
    prompts: readonly Prompt[],
    done: readonly Phase[],
    state: XrpoState,
    { policy }: SampleContext<XrpoState>,
  ): Promise<SampleResult<XrpoState>> {
    const some = done.filter(({ of }) => of.length > 0);
    const of = some.flatMap((phase) => phase.of);
    const order = [...of.keys()].sort((a, b) => of[a]! - of[b]! || a - b);
    const sampled = Batch.concat(
      some.map(({ batch }) => batch),
      some.map((phase) => phase.of),
    ).select(order);
    const hinted = sampled.f64("hinted");
    const plain = Array.from(sampled.group, (q, row) => (hinted[row] === 1 && this.settings.trainOnPlainPrompt ? prompts[q]! : null));
    const batch = await withPrompts(sampled, plain, policy);
    const groups = prompts.map(
      (prompt, q): Group => ({ prompt, trajectories: [...batch.groupRows[q]!].map((row) => batch.trajectories[row]!) }),
    );
    const seededRows = [...hinted.keys()].filter((row) => hinted[row] === 1);
    const rewards = batch.f64("rewards");
    return {
      groups,
      batch,
      state,
      metrics: {
        largestGroup: Math.max(...batch.groupRows.map((rows) => rows.length)),
        seededPrompts: new Set(seededRows.map((row) => batch.group[row])).size,
        seededSuccess: statistics.mean(seededRows.map((row) => Number(rewards[row]! > 0))),
        solved: Object.keys(state.corpus).length,
      },
    };
  }
}

/** Verified rewards of all phases so far, by prompt. */
const rewardsOf = (done: readonly Phase[], prompts: number): number[][] =>
  Array.from({ length: prompts }, (_, q) =>
    done.flatMap(({ batch, of }) => [...batch.f64("rewards")].filter((reward, row) => of[row] === q && !Number.isNaN(reward))),
  );

/** The corpus with the first success of each prompt that it lacks. */
function withSolved(corpus: XrpoState["corpus"], prompts: readonly Prompt[], { batch, of }: Phase): XrpoState["corpus"] {
  const grown = { ...corpus };
  batch.f64("rewards").forEach((reward, row) => {
    const { id, text } = prompts[of[row]!]!;
    if (reward > 0) grown[id] ??= { question: text, answer: batch.trajectories[row]!.text };
  });
  return grown;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
