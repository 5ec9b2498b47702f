import {
  type DataState,
  type GenerateRequest,
  type Group,
  GroupSampler,
  groupSamplerOptions,
  options,
  type Prompt,
  type RunFacts,
  rescored,
  runFacts,
  type SampleContext,
  type SampleResult,
  type Static,
  sampler,
  type Trajectory,
  Type,
} from "@proximal/core";
import type { Candidate } from "./branching.js";
import { returnTarget, treeRollouts } from "./schedule.js";
import { type Branch, Tree } from "./tree.js";

const test = (fallback: number | null, description: string) =>
  Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()], { default: fallback, description: `${description}; null = off` });
const threshold = (fallback: number, description: string) =>
  Type.Number({ default: fallback, exclusiveMinimum: 0, exclusiveMaximum: 1, description });

export const latrOptions = Type.Object({
  ...groupSamplerOptions.properties,
  maxBranchesPerToken: Type.Integer({ default: 2, minimum: 2, description: "Candidates of a token, the likeliest included" }),
  absThreshold: threshold(0.15, "A fork needs a candidate of higher probability"),
  relThreshold: threshold(0.25, "and a smaller distance to the likeliest one"),
  lookaheadSteps: Type.Array(Type.Integer({ minimum: 1 }), {
    default: [20, 30, 50],
    description: "Tokens after a fork at which it is compared",
  }),
  editThreshold: test(null, "Prune below this edit distance a token"),
  suffixThreshold: test(0.2, "Prune above this suffix match"),
  rougeThreshold: test(0.5, "Prune above this ROUGE-L"),
  mixSchedule: Type.Array(Type.Object({ step: Type.Integer({ minimum: 0 }), ratio: Type.Number({ minimum: 0, maximum: 1 }) }), {
    default: [
      { step: 0, ratio: 1 },
      { step: 100, ratio: 0.75 },
      { step: 200, ratio: 0.5 },
      { step: 300, ratio: 0.25 },
    ],
    description: "Share of tree rollouts from each training step on",
  }),
  returnThreshold: Type.Number({ default: 0.98, minimum: 0, description: "Share of the branches wanted at which tree mode ends" }),
  returnDecay: Type.Number({ default: 0.05, minimum: 0, description: "How much that share falls over the longest response" }),
  forceReturnStep: Type.Integer({ default: 1024, minimum: 1, description: "Tokens after which tree mode ends in any case" }),
  sampleWhenSingle: Type.Union([Type.Literal("none"), Type.Literal("full"), Type.Literal("always")], {
    default: "none",
    description: "Draw the token of a branch that cannot fork: never, when its prompt has all branches, or always",
  }),
});

interface Grown {
  trees: Tree[];
  steps: number;
}

/** Grows part of each group as a tree that forks where the policy hesitates and drops forks that come to say the same. LATR (2510.24302). */
@sampler({
  id: "latr",
  description: "Groups of lookahead-pruned tree rollouts and ordinary ones",
  options: latrOptions,
  provides: ["group-of-equal-prompts"],
})
export class LatrSampler extends GroupSampler {
  constructor(
    @options() protected readonly settings: Static<typeof latrOptions>,
    @runFacts() private readonly run: RunFacts,
  ) {
    super();
  }

  override async collect(context: SampleContext<DataState>): Promise<SampleResult<DataState>> {
    const { groups: planned, state } = this.plan(context);
    const k = treeRollouts(context.step, this.settings.mixSchedule, this.settings.groupSize);
    const ordinary = await this.rollout(
      planned.map((group) => ({ ...group, count: group.count - k })),
      context,
    );
    const prompts = planned.map(({ prompt }) => prompt);
    const { trees, steps } = k === 0 ? { trees: [], steps: 0 } : await this.grow(prompts, k, context);
    const own = trees.reduce((sum, tree) => sum + tree.branches.length, 0);
    const completed = await this.complete(prompts, trees, k, context);
    const groups = ordinary.map(
      ({ prompt, trajectories }, g): Group => ({ prompt, trajectories: [...(completed[g] ?? []), ...trajectories] }),
    );
    return {
      groups,
      batch: await context.score(groups),
      state,
      metrics: {
        treeRollouts: k,
        treeTokens: steps,
        duplicateFraction: k === 0 ? Number.NaN : 1 - own / (k * trees.length),
        prunedBranches: trees.reduce((sum, tree) => sum + tree.pruned, 0),
      },
    };
  }

  /** Tree mode: one token for all branches of all prompts at a time. */
  private async grow(prompts: readonly Prompt[], k: number, context: SampleContext<DataState>): Promise<Grown> {
    const isEnd = (token: number) => context.policy.tokenizer.stopTokens.includes(token);
    const trees = prompts.map(() => new Tree(k, isEnd, this.settings));
    const limit = Math.min(context.maxTokens, this.settings.forceReturnStep);
    let steps = 0;
    while (steps < limit && !this.isGrown(trees, k, steps, context.maxTokens)) {
      const candidates = await this.candidates(prompts, trees, context);
      const drawn = await this.draws(prompts, trees, candidates, context);
      trees.forEach((tree, g) => {
        tree.grow(candidates[g]!, drawn[g]!);
      });
      steps++;
    }
    return { trees, steps };
  }

  private isGrown(trees: readonly Tree[], k: number, steps: number, maxTokens: number): boolean {
    if (trees.every(({ running }) => running.length === 0)) return true;
    const weight = trees.reduce((sum, tree) => sum + tree.weight, 0);
    return weight >= returnTarget(k * trees.length, steps, maxTokens, this.settings) && !trees.some((tree) => tree.isYoung);
  }

  /** Candidates of the next token of every running branch, by prompt: of the raw model, at temperature 1. */
  private async candidates(prompts: readonly Prompt[], trees: readonly Tree[], { policy }: SampleContext): Promise<Candidate[][][]> {
    const rows = trees.flatMap((tree, g) =>
      // The last token is a stand-in: what is wanted are the candidates at its place.
      tree.running.map(({ tokens }) => ({ prompt: prompts[g]!.tokens, response: Int32Array.from([...tokens, policy.tokenizer.padToken]) })),
    );
    const topK = Math.min(this.settings.maxBranchesPerToken, policy.info.vocabularySize);
    const { candidateProbs, candidateTokens } = await policy.score(rows, { outputs: ["topK"], temperature: 1, topK });
    let [row, end] = [0, 0];
    return trees.map((tree) =>
      tree.running.map(() => {
        end += rows[row++]!.response.length;
        return Array.from({ length: topK }, (_, j) => ({
          token: candidateTokens![(end - 1) * topK + j]!,
          prob: candidateProbs![(end - 1) * topK + j]!,
        }));
      }),
    );
  }

  /** Tokens that are sampled instead of taken: of branches that cannot fork, where `sampleWhenSingle` says so. */
  private async draws(
    prompts: readonly Prompt[],
    trees: readonly Tree[],
    candidates: readonly Candidate[][][],
    context: SampleContext<DataState>,
  ): Promise<(number | undefined)[][]> {
    const { sampleWhenSingle } = this.settings;
    const none = trees.map(({ running }) => running.map((): number | undefined => undefined));
    if (sampleWhenSingle === "none") return none;
    const wanted = trees.flatMap((tree, g) =>
      sampleWhenSingle === "always" || tree.isFull ? tree.single(candidates[g]!).flatMap((alone, b) => (alone ? [{ g, b }] : [])) : [],
    );
    const sampled = await context.generate(
      wanted.map(({ g, b }) => ({
        prompt: prompts[g]!,
        prefix: Int32Array.from(trees[g]!.running[b]!.tokens),
        maxTokens: 1,
        key: `${g}/branch/${trees[g]!.branches.indexOf(trees[g]!.running[b]!)}`,
      })),
      { continued: true },
    );
    wanted.forEach(({ g, b }, i) => {
      none[g]![b] = sampled[i]!.tokens.at(-1)!;
    });
    return none;
  }

  /** k responses a prompt: the branches, filled up with copies of the first, each sampled on to its end. */
  private async complete(
    prompts: readonly Prompt[],
    trees: readonly Tree[],
    k: number,
    context: SampleContext<DataState>,
  ): Promise<Trajectory[][]> {
    const isWhole = ({ finished, tokens }: Branch) => finished || tokens.length >= context.maxTokens;
    const branches = trees.flatMap((tree, g) =>
      Array.from({ length: k }, (_, i) => ({ g, key: `${g}/tree/${i}`, branch: tree.branches[i] ?? copyOf(tree.branches[0]!, isWhole) })),
    );
    const open = branches.filter(({ branch }) => !isWhole(branch));
    const requests = open.map(({ g, key, branch }): GenerateRequest => {
      const prefix = Int32Array.from(branch.tokens);
      return { prompt: prompts[g]!, prefix, maxTokens: context.maxTokens - prefix.length, key };
    });
    const continued = new Map((await context.generate(requests, { continued: "last" })).map((trajectory, i) => [open[i]!.key, trajectory]));
    // Every token is the policy's own, also those that were taken in tree mode.
    const whole = branches.map(({ g, key, branch }): Trajectory => {
      const trajectory = continued.get(key) ?? this.ended(prompts[g]!, branch, context);
      return { ...trajectory, mask: new Uint8Array(trajectory.tokens.length).fill(1) };
    });
    const scored = whole.length === 0 ? [] : await rescored(whole, context.policy);
    return trees.map((_, g) => scored.slice(g * k, (g + 1) * k));
  }

  private ended(prompt: Prompt, { tokens, finished }: Branch, { policy }: SampleContext): Trajectory {
    return {
      prompt,
      tokens: Int32Array.from(tokens),
      mask: new Uint8Array(tokens.length),
      logp: new Float64Array(tokens.length),
      text: policy.tokenizer.decode(tokens),
      finish: finished ? "stop" : "length",
      temperature: this.run.temperature,
    };
  }
}

/** A branch to sample on in place of one that is missing: a copy of a whole response could only repeat it, so that one starts afresh. */
const copyOf = (branch: Branch, isWhole: (branch: Branch) => boolean): Branch =>
  isWhole(branch) ? { tokens: [], finished: false, fork: 0, parent: null } : branch;
