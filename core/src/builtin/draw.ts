import type { Random } from "../rollout/index.js";

/** `count` entries of `pool`, uniformly and without replacement; when the pool is too small, whole passes over it first. */
export function drawFrom(pool: readonly number[], count: number, random: Random): number[] {
  const drawn: number[] = [];
  for (let pass = 0; drawn.length < count && pool.length > 0; pass++) {
    const order = random.fork("pass", pass).permutation(pool.length);
    for (const i of order.subarray(0, count - drawn.length)) drawn.push(pool[i]!);
  }
  return drawn;
}
