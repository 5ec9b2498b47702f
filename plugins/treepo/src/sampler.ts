import {
  type DataState,
  type GenerateRequest,
  type Group,
  GroupSampler,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type Prompt,
  type Random,
  type SampleContext,
  type Static,
  sampler,
  type Trajectory,
  Type,
} from "@proximal/core";
import { type BranchPolicy, branchBudget, POLICIES, splitBudget } from "./branching.js";

const { promptsPerStep, shuffle } = groupSamplerOptions.properties;

const treeSamplerOptions = Type.Object({
  promptsPerStep,
  shuffle,
  groupSize: Type.Optional(Type.Integer({ minimum: 2, description: "Same as maxWidth" })),
  segmentTokens: Type.Integer({ default: 512, minimum: 1, description: "Tokens of a segment" }),
  maxDepth: Type.Integer({ default: 14, minimum: 1, description: "Segments of a path" }),
  maxWidth: Type.Integer({ default: 16, minimum: 2, description: "Leaves wanted per prompt" }),
  branching: Type.Integer({ default: 2, minimum: 1, description: "Branches of a path" }),
  firstBranchMax: Type.Integer({
    default: -1,
    minimum: -1,
    description: "The root splits into a random number between branching and this; -1 = off",
  }),
  boxedNeedsEos: Type.Boolean({ default: true, description: "A boxed answer ends a path only together with the end token" }),
  policy: Type.Union(
    POLICIES.map((name) => Type.Literal(name)),
    { default: "average", description: "How branches are split over the live paths" },
  ),
  temperature: Type.Number({ default: 1, exclusiveMinimum: 0, description: "Of the softmax that splits branches" }),
  fallback: Type.Union([Type.Literal("random"), Type.Literal("none")], {
    default: "random",
    description: "Without live paths and with too few leaves: cut finished leaves back to a random segment boundary, or stop",
  }),
});

type Settings = Static<typeof treeSamplerOptions>;

interface Path {
  tokens: number[];
  logp: number[];
  /** Node ids from depth 1. */
  nodes: number[];
  leaf?: Trajectory;
}

const BOXED = /\\boxed\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/;

/** One prompt's tree: live paths, leaves, and the ids given to nodes so far. */
class Tree {
  live: Path[] = [];
  readonly leaves: Path[] = [];
  private nextNode = 0;

  constructor(
    readonly prompt: Prompt,
    private readonly s: Settings,
    private readonly random: Random,
  ) {
    this.live = this.branches({ tokens: [], logp: [], nodes: [] }, this.rootBranches());
  }

  private rootBranches(): number {
    const { branching, firstBranchMax, maxWidth } = this.s;
    if (firstBranchMax <= branching) return branching;
    return Math.min(maxWidth, branching + this.random.integer(firstBranchMax - branching + 1));
  }

  private branches(path: Path, count: number): Path[] {
    return Array.from({ length: count }, () => ({
      tokens: [...path.tokens],
      logp: [...path.logp],
      nodes: [...path.nodes, this.nextNode++],
    }));
  }

  /** Takes the decoded segments of the live paths and branches what goes on. */
  grow(segments: readonly Trajectory[], maxTokens: number): void {
    const before = this.leaves.length;
    const open: Path[] = [];
    this.live.forEach((path, i) => {
      const segment = segments[i]!;
      path.logp.push(...segment.logp.slice(path.tokens.length));
      path.tokens = [...segment.tokens];
      const boxed = !this.s.boxedNeedsEos && BOXED.test(segment.text);
      const cut = path.tokens.length >= maxTokens || path.nodes.length >= this.s.maxDepth;
      if (segment.finish === "stop" || boxed || cut) {
        this.leaves.push({
          ...path,
          leaf: {
            ...segment,
            // Earlier segments came as a given prefix, but the policy sampled them: they are trained on.
            mask: new Uint8Array(segment.tokens.length).fill(1),
            logp: Float64Array.from(path.logp),
            finish: segment.finish === "stop" || boxed ? "stop" : "length",
          },
        });
      } else open.push(path);
    });
    const total = branchBudget(open.length, this.leaves.length, this.leaves.length - before, this.s);
    const split =
      open.length === 0
        ? []
        : splitBudget(
            this.s.policy as BranchPolicy,
            open.map((path) => path.logp),
            total,
            this.s.temperature,
          );
    this.live = open.flatMap((path, i) => this.branches(path, split[i]!));
    if (this.live.length === 0 && this.leaves.length < this.s.maxWidth && this.s.fallback === "random") this.restart();
  }

  /** New branches from finished leaves, cut back to a random segment boundary, or from the prompt when none qualifies. */
  private restart(): void {
    const { branching, maxWidth, segmentTokens } = this.s;
    const wanted = maxWidth - this.leaves.length;
    const finished = this.leaves.filter((path) => path.leaf!.finish === "stop");
    if (finished.length === 0) {
      this.live = this.branches({ tokens: [], logp: [], nodes: [] }, Math.min(branching, wanted));
      return;
    }
    for (const at of this.random.permutation(finished.length)) {
      const left = wanted - this.live.length;
      if (left <= 0) return;
      const path = finished[at]!;
      const segments = this.random.integer(Math.floor(Math.max(0, path.tokens.length - 1) / segmentTokens) + 1);
      const length = segments * segmentTokens;
      const cut = { tokens: path.tokens.slice(0, length), logp: path.logp.slice(0, length), nodes: path.nodes.slice(0, segments) };
      this.live.push(...this.branches(cut, Math.min(branching, left)));
    }
  }
}

/** Grows a tree of fixed-length segments per prompt until it has `maxWidth` leaves. TreePO (2508.17445). */
@sampler({
  id: "treepo",
  description: "Segment-wise decoding: live paths branch after each segment, finished paths hand their branches on",
  options: treeSamplerOptions,
  writes: ["treePath"],
  provides: ["group-of-equal-prompts", "tree-path"],
})
export class TreeSampler extends GroupSampler {
  protected readonly settings: Settings & { groupSize: number };

  constructor(@options() o: Settings) {
    super();
    this.settings = { ...o, maxWidth: o.groupSize ?? o.maxWidth, groupSize: o.groupSize ?? o.maxWidth };
  }

  protected override async rollout(planned: readonly PlannedGroup[], context: SampleContext<DataState>): Promise<Group[]> {
    const { maxTokens } = context;
    const trees = planned.map(({ prompt }, i) => new Tree(prompt, this.settings, context.random.fork("tree", i)));
    for (let round = 0; trees.some((tree) => tree.live.length > 0); round++) {
      const requests = trees.flatMap((tree, i) =>
        tree.live.map(
          (path, k): GenerateRequest => ({
            prompt: tree.prompt,
            prefix: Int32Array.from(path.tokens),
            maxTokens: Math.min(this.settings.segmentTokens, maxTokens - path.tokens.length),
            key: `${i}/${round}/${k}`,
          }),
        ),
      );
      const segments = await context.generate(requests, { continued: true });
      let at = 0;
      for (const tree of trees) {
        const count = tree.live.length;
        if (count > 0) tree.grow(segments.slice(at, at + count), maxTokens);
        at += count;
      }
    }
    return trees.map(({ prompt, leaves }) => ({
      prompt,
      trajectories: leaves.map(({ leaf, nodes }) => ({ ...leaf!, columns: { ...leaf!.columns, treePath: nodes } })),
    }));
  }
}
