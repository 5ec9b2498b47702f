import {
  type AdvantageEstimator,
  advantageEstimator,
  type Batch,
  type EstimateResult,
  options,
  type Static,
  statistics,
  Type,
} from "@proximal/core";

const { constant, mean, take, whiten } = statistics;

export const treeAdvantageOptions = Type.Object({
  weighting: Type.Union([Type.Literal("average"), Type.Literal("groupSize")], {
    default: "average",
    description: "Mean over the depths, or weighted by the size of the subtree",
  }),
  dropZeroStdSubgroup: Type.Boolean({ default: false, description: "Skip subtrees (not the whole group) whose rewards are all equal" }),
});

/**
 * A_i = mean over depths d of R_i - mean of R over the leaves that share the first d nodes of i's path, then whitened over
 * tokens: (A - μ) / sqrt(v + 1e-8), v unbiased. Row values [B]. TreePO (2508.17445).
 */
@advantageEstimator({
  id: "treepo",
  description: "Group-relative advantages averaged over the subtrees that contain the leaf, whitened over the batch",
  options: treeAdvantageOptions,
  reads: ["rewards", "treePath"],
  writes: ["advantages"],
  needs: ["tree-path"],
  conventions: { std: "unbiased over the tokens of the batch", groupOfOne: "its reward, before whitening" },
})
export class TreeAdvantage implements AdvantageEstimator {
  constructor(@options() private readonly o: Static<typeof treeAdvantageOptions>) {}

  estimate(batch: Batch): EstimateResult {
    return { columns: { advantages: [...whiten(this.raw(batch), batch.lengths)] } };
  }

  /** A_i before whitening, [B]. */
  raw(batch: Batch): Float64Array {
    const rewards = batch.f64("rewards");
    const paths = batch.json<readonly number[]>("treePath");
    const depth = Math.max(0, ...paths.map((path) => path.length));
    const result = new Float64Array(batch.rows);
    for (const rows of batch.groupRows) {
      const total = new Float64Array(rows.length);
      const weight = new Float64Array(rows.length);
      for (let d = 0; d < depth; d++) {
        for (const leaves of subtrees(rows, paths, d)) {
          const group = take(
            rewards,
            leaves.map((i) => rows[i]!),
          );
          if (d > 0 && (group.length === 1 || (this.o.dropZeroStdSubgroup && constant(group)))) continue;
          // A lone leaf is compared with 0.
          const center = group.length === 1 ? 0 : mean(group);
          const w = this.o.weighting === "groupSize" ? group.length : 1;
          leaves.forEach((i, k) => {
            total[i]! += w * (group[k]! - center);
            weight[i]! += w;
          });
        }
      }
      rows.forEach((row, i) => {
        result[row] = weight[i] === 0 ? 0 : total[i]! / weight[i]!;
      });
    }
    return result;
  }
}

/** Leaves of a group (as positions in `rows`) that share their first `d` nodes; a path shorter than d is alone. */
function subtrees(rows: Int32Array, paths: readonly (readonly number[])[], d: number): number[][] {
  const byPrefix = new Map<string, number[]>();
  rows.forEach((row, i) => {
    const path = paths[row]!;
    const key = path.length < d ? `end:${i}` : path.slice(0, d).join("/");
    byPrefix.set(key, [...(byPrefix.get(key) ?? []), i]);
  });
  return [...byPrefix.values()];
}
