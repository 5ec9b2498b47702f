import {
  type Batch,
  type Expr,
  evaluate,
  type FeedValue,
  gradient,
  inputLeaves,
  type LossProgram,
  type ScoreResult,
  type StepValues,
  type TensorValue,
} from "@proximal/core";
import type { Differentiable } from "./graphs.js";

/** A loss at given policy outputs, with its first derivatives. */
export interface Linearisation {
  loss: number;
  observed: Record<string, Float64Array>;
  /** dL/d output, flat over response tokens, of the outputs that the loss depends on. */
  cotangents: Partial<Record<Differentiable, Float64Array>>;
}

/** [B, T, width] from flat token values, and back. */
function pad(flat: ArrayLike<number>, { rows, offsets }: Batch, T: number, width: number, data: Float64Array | Int32Array): void {
  for (let row = 0; row < rows; row++) {
    const from = offsets[row]! * width;
    const count = offsets[row + 1]! * width - from;
    for (let k = 0; k < count; k++) data[row * T * width + k] = flat[from + k]!;
  }
}

function unpad(padded: ArrayLike<number>, { rows, offsets, tokens }: Batch, T: number, width: number): Float64Array {
  const flat = new Float64Array(tokens * width);
  for (let row = 0; row < rows; row++) {
    const from = offsets[row]! * width;
    const count = offsets[row + 1]! * width - from;
    for (let k = 0; k < count; k++) flat[from + k] = padded[row * T * width + k]!;
  }
  return flat;
}

/** Evaluates the loss and its gradient with respect to the policy's outputs, in float64, from `scored` alone. */
export function linearise(
  program: LossProgram,
  batch: Batch,
  scored: ScoreResult,
  stepValues: StepValues,
  { V, H }: { V: number; H: number },
): Linearisation {
  const T = Math.max(1, ...batch.lengths);
  const B = batch.rows;
  const K = scored.candidateTokens === undefined ? 0 : scored.candidateTokens.length / batch.tokens;
  const dims = { B, T, V, H, K };
  const leaves = inputLeaves(dims);
  const feeds: Record<string, FeedValue> = {};
  const variables = new Map<Differentiable, Expr>();
  const feed = (leaf: Expr, values: ArrayLike<number>): Expr => {
    const shape = leaf.shape as number[];
    const width = shape.slice(2).reduce((a, b) => a * b, 1);
    const data = leaf.dtype === "int" ? new Int32Array(B * T * width) : new Float64Array(B * T * width);
    pad(values, batch, T, width, data);
    feeds[(leaf as Expr<"input">).attributes.name] = { shape, data };
    return leaf;
  };
  const variable = (name: Differentiable) => () => {
    const leaf = feed(leaves[name](), scored[name]!);
    variables.set(name, leaf);
    return leaf;
  };
  const built = program.build(dims, {
    ...leaves,
    logp: variable("logp"),
    entropy: variable("entropy"),
    values: variable("values"),
    hidden: variable("hidden"),
    topK: () => {
      const { probs, tokens } = leaves.topK();
      return { probs: feed(probs, scored.candidateProbs!), tokens: feed(tokens, scored.candidateTokens!) };
    },
  });
  const all = Array.from({ length: B }, (_, i) => i);
  Object.assign(feeds, program.feeds(built, batch, all, { B, T }, stepValues));
  const names = Object.keys(built.observed);
  const wrt = [...variables.values()];
  const results = evaluate(
    [built.loss, ...Object.values(built.observed), ...gradient(built.loss, wrt)],
    feeds as Record<string, TensorValue>,
  );
  const cotangents: Linearisation["cotangents"] = {};
  [...variables.keys()].forEach((name, i) => {
    const width = name === "hidden" ? H : 1;
    cotangents[name] = unpad(results[1 + names.length + i]!.data, batch, T, width);
  });
  return {
    loss: results[0]!.data[0]!,
    observed: Object.fromEntries(names.map((name, i) => [name, Float64Array.from(results[1 + i]!.data)])),
    cotangents,
  };
}
