/** Indices of the items by key, keys in order of first appearance. */
export function indicesBy<T>(items: readonly T[], keyOf: (item: T, index: number) => unknown): number[][] {
  const groups = new Map<unknown, number[]>();
  items.forEach((item, index) => {
    const key = keyOf(item, index);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [index]);
    else group.push(index);
  });
  return [...groups.values()];
}
