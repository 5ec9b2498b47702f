import type { Dim, Expr, Op, OpAttributes } from "@proximal/core";

/** The attributes that hold sizes. */
const SIZES = ["shape", "size", "starts", "ends", "before", "after"] as const;

/** The attributes with their sizes bound. */
export function bindAttributes(node: Expr, bind: (dim: Dim) => Dim): { attributes: OpAttributes[Op]; changed: boolean } {
  const attributes: Record<string, unknown> = { ...node.attributes };
  let changed = false;
  const bound = (dim: Dim | null) => {
    const result = dim === null ? null : bind(dim);
    if (result !== dim) changed = true;
    return result;
  };
  for (const key of SIZES) {
    const value = attributes[key] as Dim | readonly (Dim | null)[] | undefined;
    if (value !== undefined) attributes[key] = typeof value === "object" ? value.map(bound) : bound(value);
  }
  return { attributes: changed ? (attributes as OpAttributes[Op]) : node.attributes, changed };
}

/** Every size that the node itself names. */
export function sizesIn(node: Expr): Dim[] {
  const attributes = node.attributes as Partial<Record<(typeof SIZES)[number], Dim | readonly (Dim | null)[]>>;
  return [node.shape, ...SIZES.map((key) => attributes[key] ?? [])].flat().filter((dim): dim is Dim => dim !== null);
}
