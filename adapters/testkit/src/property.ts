import type { BatchShape } from "@proximal/core/testing";
import fc from "fast-check";
import { shapes } from "./batches.js";

/** Puts a property to random batches; a failure names the smallest shape that breaks it. Drawn with a fixed seed. */
export async function onShapes(runs: number, holds: (seed: number, shape: BatchShape) => void | Promise<void>): Promise<void> {
  const property = fc.asyncProperty(shapes, async ({ seed, shape }) => holds(seed, shape));
  const { failed, counterexample, errorInstance } = await fc.check(property, { seed: 1, numRuns: runs });
  if (!failed) return;
  const [{ seed, shape }] = counterexample!;
  const where = `rows of ${shape.lengths.join(", ")} tokens in the groups ${shape.group.join(", ")} (seed ${seed})`;
  throw new Error(`${(errorInstance as Error).message}, with ${where}`, { cause: errorInstance });
}
