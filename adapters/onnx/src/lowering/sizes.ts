import type { Dim, Expr, Op, OpAttributes } from "@proximal/core";

/** The attributes that hold sizes. */
const SIZES = ["shape", "size", "starts", "ends", "before", "after"] as const;

type SizeAttributes = Partial<Record<(typeof SIZES)[number], Dim | readonly (Dim | null)[]>>;

/** The attributes with their sizes bound; the same object when nothing changes. */
export function bindAttributes(node: Expr, bind: (dim: Dim) => Dim): OpAttributes[Op] {
  const attributes = node.attributes as SizeAttributes;
  let bound: SizeAttributes | undefined;
  for (const key of SIZES) {
    const value = attributes[key];
    if (value === undefined) continue;
    const list = typeof value === "object" ? value : [value];
    const result = list.map((dim) => (dim === null ? null : bind(dim)));
    if (result.some((dim, i) => dim !== list[i]))
      bound = { ...(bound ?? attributes), [key]: typeof value === "object" ? result : result[0]! };
  }
  return (bound ?? attributes) as OpAttributes[Op];
}

/** Every size that the node itself names. */
export function sizesIn(node: Expr): Dim[] {
  const attributes = node.attributes as SizeAttributes;
  return [node.shape, ...SIZES.map((key) => attributes[key] ?? [])].flat().filter((dim): dim is Dim => dim !== null);
}
