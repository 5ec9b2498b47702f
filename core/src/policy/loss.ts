import type { Batch } from "../rollout/index.js";
import type { Dim, Expr } from "../tensor/index.js";
import type { PolicyOutput, StepValues } from "./backend.js";

/** Sizes of one graph; symbols while the objective is analysed, numbers when it is executed. */
export interface ObjectiveDims {
  B: Dim;
  T: Dim;
  V: Dim;
  H: Dim;
  K: Dim;
}

/** What the policy network gives to the objective: expressions of the network, or inputs. Called once each, on first use. */
export interface PolicyLeaves {
  logp(): Expr;
  entropy(): Expr;
  values(): Expr;
  hidden(): Expr;
  topK(): { probs: Expr; tokens: Expr };
  logits(): Expr;
}

/** How far values of different rows, the policy's or the batch's, are mixed non-linearly on a path to the loss. */
export type Span = "token" | "row" | "group" | "batch";

export interface BuiltObjective {
  /** Scalar, to be minimised: this micro-batch's share of the loss. */
  loss: Expr;
  /** Name `<part>.<observation>` → expression, to be summed over micro-batches. */
  observed: Readonly<Record<string, Expr>>;
  /** Name `<part>.<fact>` → [B, T], observations of single tokens included; outside the graph of whoever does not ask for them. */
  perToken: Readonly<Record<string, Expr>>;
  /** What has to be fed, by name; policy outputs not included. */
  inputs: ReadonlyMap<string, Expr>;
}

export interface FeedValue {
  shape: readonly number[];
  data: Float64Array | Int32Array | Uint8Array;
}

/** A loss that a policy can be updated with; `ObjectiveProgram` is the one that components make. */
export interface LossProgram {
  /** Policy outputs that some term reads. */
  readonly outputs: ReadonlySet<PolicyOutput>;
  /** Batch columns that some term reads. */
  readonly columns: ReadonlySet<string>;
  readonly span: Span;
  /** K of the `topK` output; the engine's default when left out. */
  readonly topK?: number;
  /** Name → shape of what the graph reports beside the loss; symbolic sizes as symbols. */
  readonly observations: Readonly<Record<string, readonly (number | string)[]>>;
  build(dims: ObjectiveDims, leaves: PolicyLeaves): BuiltObjective;
  feeds(
    built: BuiltObjective,
    whole: Batch,
    rows: ArrayLike<number>,
    sizes: { B: number; T: number },
    stepValues: StepValues,
  ): Record<string, FeedValue>;
}
