import {
  type DataState,
  type GenerateRequest,
  type Group,
  GroupSampler,
  groupSamplerOptions,
  options,
  type PlannedGroup,
  type SampleContext,
  type SampleResult,
  type ScoredGroups,
  type Static,
  sampler,
  statistics,
  type Trajectory,
  Type,
} from "@proximal/core";
import { backedUp } from "./tree.js";
import { EDGE_COLUMNS } from "./tree-advantage.js";

const { promptsPerStep, shuffle } = groupSamplerOptions.properties;

export const treeSamplerOptions = Type.Object({
  promptsPerStep,
  shuffle,
  groupSize: Type.Optional(Type.Integer({ minimum: 1, description: "Not used: the tree's size follows from branchFactors" })),
  branchFactors: Type.Array(Type.Integer({ minimum: 1 }), { default: [6, 6, 6], minItems: 1, description: "Children a node, by depth" }),
  segmentLength: Type.Integer({ default: 600, minimum: 1, description: "Tokens of a segment; those of the last depth run to the end" }),
});

interface Edge {
  /** Index of the edge above among the tree's edges; -1 = the prompt. */
  parent: number;
  /** Tokens from the prompt to the edge's end; only its own segment is trained on. */
  path: Trajectory;
}

/** A tree of rollouts for each prompt; every segment is a row with its path as context. SPO-tree (2505.23564). */
@sampler({
  id: "spo-tree",
  description: "Trees of segments: each node branches into a fixed number of continuations, the last depth runs to the end",
  options: treeSamplerOptions,
  reads: ["rewards"],
  writes: [EDGE_COLUMNS.parentValue, EDGE_COLUMNS.parentStd, { name: "parentEdge", at: "row", dtype: "i32" }],
  provides: ["segment-tree"],
})
export class TreeSampler extends GroupSampler {
  protected readonly settings: Static<typeof treeSamplerOptions> & { groupSize: number };

  constructor(@options() o: Static<typeof treeSamplerOptions>) {
    super();
    this.settings = { ...o, groupSize: 1 };
  }

  protected override async rollout(planned: readonly PlannedGroup[], context: SampleContext<DataState>): Promise<Group[]> {
    const { branchFactors, segmentLength } = this.settings;
    const trees = planned.map((): Edge[] => []);
    let live = planned.map(() => [-1]);
    for (const [depth, branches] of branchFactors.entries()) {
      const isLast = depth === branchFactors.length - 1;
      const wanted = live.flatMap((nodes, tree) =>
        nodes.flatMap((parent) => Array.from({ length: branches }, (_, child) => ({ tree, parent, child }))),
      );
      if (wanted.length === 0) break;
      const segments = await context.generate(
        wanted.map(({ tree, parent, child }): GenerateRequest => {
          const prefix = trees[tree]![parent]?.path.tokens ?? new Int32Array();
          const left = context.maxTokens - prefix.length;
          return {
            prompt: planned[tree]!.prompt,
            prefix,
            maxTokens: isLast ? left : Math.min(segmentLength, left),
            key: `${tree}/${parent}/${child}`,
          };
        }),
        { continued: isLast ? "last" : true },
      );
      live = planned.map(() => []);
      wanted.forEach(({ tree, parent }, i) => {
        const path = segments[i]!;
        const edge = trees[tree]!.push({ parent, path }) - 1;
        if (path.finish === "length" && path.tokens.length < context.maxTokens) live[tree]!.push(edge);
      });
    }
    return trees.map((edges, tree) => ({
      prompt: planned[tree]!.prompt,
      trajectories: edges.map(({ parent, path }) => ({ ...path, columns: { ...path.columns, parentEdge: parent } })),
    }));
  }

  /** The reward of an edge becomes the value of its end: the mean over the leaves' rewards, depth by depth. */
  protected override async select(scored: ScoredGroups, _context: SampleContext<DataState>): Promise<SampleResult<DataState>> {
    const { batch } = scored;
    const [rewards, parentEdge] = [batch.f64("rewards"), batch.i32("parentEdge")];
    const columns = {
      rewards: new Float64Array(batch.rows),
      parentValue: new Float64Array(batch.rows),
      parentStd: new Float64Array(batch.rows),
    };
    const roots = batch.groupRows.map((rows) => {
      // Node 0 is the prompt, node e + 1 the end of edge e.
      const parent = [-1, ...Array.from(rows, (row) => parentEdge[row]! + 1)];
      const { values, stds } = backedUp(parent, [Number.NaN, ...Array.from(rows, (row) => rewards[row]!)]);
      rows.forEach((row, edge) => {
        columns.rewards[row] = values[edge + 1]!;
        columns.parentValue[row] = values[parent[edge + 1]!]!;
        columns.parentStd[row] = stds[parent[edge + 1]!]!;
      });
      return values[0]!;
    });
    const specs = { parentValue: EDGE_COLUMNS.parentValue, parentStd: EDGE_COLUMNS.parentStd };
    return { ...scored, batch: batch.with(columns, specs), metrics: { edges: batch.rows, value: statistics.mean(roots) } };
  }
}
