import { statistics } from "@proximal/core";

const { constant, mean, std } = statistics;

export interface Tree {
  /** [n] value of each node: its reward at a leaf, else the mean of its children; NaN where no leaf below it is verified. */
  values: Float64Array;
  /** [n] population std of the children's values; 0 at leaves. */
  stds: Float64Array;
}

/** Backs rewards up a forest; `parent` [n], -1 = root; `leafReward` [n] is read at leaves. SPO-tree (2505.23564), official code. */
export function backedUp(parent: ArrayLike<number>, leafReward: ArrayLike<number | null>): Tree {
  const n = parent.length;
  const children = Array.from({ length: n }, (): number[] => []);
  for (let node = 0; node < n; node++) children[parent[node]!]?.push(node);
  const values = new Float64Array(n);
  const stds = new Float64Array(n);
  const visit = (node: number): void => {
    const below = children[node]!;
    for (const child of below) visit(child);
    const own = below.map((child) => values[child]!).filter((value) => !Number.isNaN(value));
    // Equal children have exactly their parent's value: rounding in a mean would keep their edges.
    const equal = own.length > 0 && constant(own);
    values[node] = below.length === 0 ? (leafReward[node] ?? Number.NaN) : equal ? own[0]! : mean(own);
    stds[node] = own.length === 0 || equal ? 0 : std(own, 0);
  };
  for (let node = 0; node < n; node++) if (parent[node]! < 0) visit(node);
  return { values, stds };
}

export type AdvantageMode = "rloo" | "grpo";

/** V(child) - V(parent), in grpo mode divided by the std of the parent's children + 1e-8. */
export const edgeAdvantage = (value: number, parentValue: number, parentStd: number, mode: AdvantageMode): number =>
  mode === "rloo" ? value - parentValue : (value - parentValue) / (parentStd + 1e-8);
