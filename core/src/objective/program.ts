import { CompositionError, DataError } from "../errors.js";
import { Context, type UpdateNumber } from "../extension/context.js";
import type { Aggregation, LossComponent, Observation, StepExpressions, Term } from "../extension/points.js";
import type {
  BuiltObjective,
  FeedValue,
  LossProgram,
  ObjectiveDims,
  PolicyLeaves,
  PolicyOutput,
  Span,
  StepValues,
} from "../policy/index.js";
import { type Batch, type ColumnSpecs, lossMask } from "../rollout/index.js";
import { constant, type Expr, formatShape, input, where } from "../tensor/index.js";
import { aggregationKey, aggregationName, aggregationWeights } from "./aggregation.js";
import { spanOf } from "./span.js";

/** A component of the loss with its place in the sum. */
export interface LossPart {
  /** Unique in the program; names its step values and metrics. */
  id: string;
  component: LossComponent;
  coefficient: number;
  /** Shapes of its step values, by name. */
  stepShapes: Readonly<Record<string, readonly number[]>>;
}

/** Sizes of the policy that step values of a term may have; symbols when left out. */
export type KnownSizes = Partial<Pick<ObjectiveDims, "V" | "H">>;

const SYMBOLS: ObjectiveDims & { B: string; T: string } = { B: "B", T: "T", V: "V", H: "H", K: "K" };

/** Policy outputs as inputs of a graph: what the evaluator, the linearised way and the analysis use. */
export function inputLeaves({ B, T, V, H, K }: ObjectiveDims): PolicyLeaves {
  return {
    logp: () => input("policy:logp", [B, T]),
    entropy: () => input("policy:entropy", [B, T]),
    values: () => input("policy:values", [B, T]),
    hidden: () => input("policy:hidden", [B, T, H]),
    topK: () => ({ probs: input("policy:topKProbs", [B, T, K]), tokens: input("policy:topKTokens", [B, T, K], "int") }),
    logits: () => input("policy:logits", [B, T, V]),
  };
}

/**
 * The whole loss of a run: a weighted sum of terms, each with its own aggregation. The same program is executed fused with
 * the policy network, linearised on log-probs alone, and by the float64 evaluator.
 */
export class ObjectiveProgram implements LossProgram {
  /** Policy outputs that some term reads. */
  readonly outputs: ReadonlySet<PolicyOutput>;
  /** Batch columns that some term reads. */
  readonly columns: ReadonlySet<string>;
  readonly span: Span;
  readonly topK: number | undefined;
  /** Name → shape of what the graph reports beside the loss; symbolic sizes as symbols. */
  readonly observations: Readonly<Record<string, readonly (number | string)[]>>;
  private readonly updateNumbers: ReadonlyMap<string, UpdateNumber>;

  constructor(
    readonly parts: readonly LossPart[],
    readonly options: {
      /** Of terms that name none. */
      aggregation: Aggregation;
      specs?: ColumnSpecs;
      available?: (column: string) => boolean;
      sizes?: KnownSizes;
      /** Longest response, tokens: divisor of a fixed-length mean that names none. */
      maxTokens?: number;
    },
  ) {
    const variables = new Set<Expr>();
    const dims = { ...SYMBOLS, V: options.sizes?.V ?? SYMBOLS.V, H: options.sizes?.H ?? SYMBOLS.H };
    const leaves = inputLeaves(dims);
    const seen = <A>(make: () => A) => {
      const value = make();
      for (const x of isExpr(value) ? [value] : Object.values(value as object)) variables.add(x as Expr);
      return value;
    };
    const recorded: PolicyLeaves = {
      logp: () => seen(leaves.logp),
      entropy: () => seen(leaves.entropy),
      values: () => seen(leaves.values),
      hidden: () => seen(leaves.hidden),
      topK: () => seen(leaves.topK),
      logits: () => seen(leaves.logits),
    };
    const context = this.context(dims, recorded);
    const built = this.assemble(context);
    this.outputs = context.outputs;
    this.columns = context.columnsRead;
    this.topK = context.topK;
    this.updateNumbers = context.updateNumbers;
    const groupMasks = context.inputs.has("group") ? new Set([context.sameGroup]) : new Set<Expr>();
    // Statistics of columns over rows break under a split as those of the policy's outputs do.
    for (const x of context.inputs.values()) if (x.shape[0] === SYMBOLS.B) variables.add(x);
    this.span = spanOf(built.loss, variables, SYMBOLS, groupMasks);
    this.observations = Object.fromEntries(Object.entries(built.observed).map(([name, x]) => [name, x.shape]));
  }

  private context(dims: ObjectiveDims, leaves: PolicyLeaves): Context {
    return new Context(
      dims,
      leaves,
      this.options.specs ?? {},
      this.options.available ?? ((name) => name !== "weights" && name !== "tokenWeights"),
    );
  }

  /** The loss over the given sizes with the given policy outputs. */
  build(dims: ObjectiveDims, leaves: PolicyLeaves): BuiltObjective {
    return this.assemble(this.context(dims, leaves));
  }

  private assemble(context: Context): BuiltObjective {
    let loss: Expr = constant(0);
    const observed: Record<string, Expr> = {};
    const perToken: Record<string, Expr> = {};
    for (const part of this.parts) {
      const stepValues: StepExpressions = Object.fromEntries(
        Object.entries(part.stepShapes).map(([name, shape]) => [name, context.stepValue(part.id, name, shape)]),
      );
      const terms = part.component.terms(context, stepValues);
      for (const term of Array.isArray(terms) ? (terms as readonly Term[]) : [terms as Term]) {
        const key = this.keyOf(term.aggregation, term.without);
        const value = aggregate(context, term.value, key, part.id);
        if (term.without !== undefined) context.columnsRead.add(term.without);
        loss = loss.add(part.coefficient === 1 ? value : value.mul(part.coefficient));
        observed[[part.id, term.name ?? "loss"].join(".")] = value.stopGradient();
        for (const [name, observation] of Object.entries(term.observe ?? {})) {
          observed[`${part.id}.${name}`] = this.observe(context, observation, part.id);
          const value = isExpr(observation) ? undefined : observation.value;
          if (value !== undefined && isPerToken(value, context.dims)) {
            perToken[`${part.id}.${name}`] = where(context.mask, toFloat(value), 0).stopGradient();
          }
        }
        for (const [name, value] of Object.entries(term.perToken ?? {})) {
          perToken[`${part.id}.${name}`] = where(context.mask, toFloat(value), 0).stopGradient();
        }
      }
    }
    return { loss, observed, perToken, inputs: context.inputs };
  }

  private keyOf(aggregation: Aggregation = this.options.aggregation, without?: string): string {
    return aggregationKey(aggregation, { maxTokens: this.options.maxTokens, without });
  }

  private observe(context: Context, observation: Observation, part: string): Expr {
    const value = isExpr(observation)
      ? observation
      : aggregate(context, toFloat(observation.value), this.keyOf(observation.aggregation), part);
    return toFloat(value).stopGradient();
  }

  /**
   * Feeds of `rows` of the batch, padded to [B, T]: what `build` declared in `inputs`. `whole` is the update batch that the
   * rows come from: denominators are taken over it.
   */
  feeds(
    built: BuiltObjective,
    whole: Batch,
    rows: ArrayLike<number>,
    { B, T }: { B: number; T: number },
    stepValues: StepValues,
  ): Record<string, FeedValue> {
    const feeds: Record<string, FeedValue> = {};
    for (const [name, expr] of built.inputs) feeds[name] = this.feed(name, expr, whole, rows, B, T, stepValues);
    return feeds;
  }

  private feed(name: string, expr: Expr, whole: Batch, rows: ArrayLike<number>, B: number, T: number, stepValues: StepValues): FeedValue {
    if (name === "mask") return padTokens(lossMask(whole), whole, rows, B, T, 1, "bool");
    if (name === "group") {
      const data = new Int32Array(B).fill(-1);
      for (let i = 0; i < rows.length; i++) data[i] = whole.group[rows[i]!]!;
      return { shape: [B, 1], data };
    }
    if (name === "groups") return { shape: [1, 1], data: Float64Array.of(whole.groups) };
    if (name.startsWith("update:"))
      return { shape: [1, 1], data: Float64Array.of(this.updateNumbers.get(name.slice("update:".length))!(whole)) };
    if (name.startsWith("category:")) {
      const ids = categoriesOf(whole, name.slice("category:".length));
      return { shape: [B, 1], data: Int32Array.from({ length: B }, (_, i) => (i < rows.length ? ids[rows[i]!]! : -1)) };
    }
    if (name.startsWith("weight:")) {
      const [key, without] = name.slice("weight:".length).split("!") as [string, string?];
      const mask = without === undefined ? lossMask(whole) : maskWithout(whole, without);
      const weights = aggregationWeights(key, mask, whole.offsets, whole.group);
      if (aggregationName(key) !== "row-mean") return padTokens(weights, whole, rows, B, T, 1, "float");
      const data = new Float64Array(B);
      for (let i = 0; i < rows.length; i++) data[i] = weights[rows[i]!]!;
      return { shape: [B, 1], data };
    }
    if (name.startsWith("step:")) {
      const value = stepValues[name.slice("step:".length)];
      if (value === undefined) throw new DataError(`no value was given for ${name}`, { accepted: Object.keys(stepValues) });
      if (typeof value === "number")
        return { shape: expr.shape as number[], data: new Float64Array(expr.shape.reduce<number>((n, d) => n * Number(d), 1)).fill(value) };
      return { shape: value.shape, data: Float64Array.from(value.data) };
    }
    return this.columnFeed(name.slice("column:".length), expr, whole, rows, B, T);
  }

  private columnFeed(name: string, expr: Expr, whole: Batch, rows: ArrayLike<number>, B: number, T: number): FeedValue {
    const column = whole.column(name);
    const width = typeof column.width === "number" ? column.width : 1;
    const values = column.dtype === "i32" ? whole.i32(name) : column.dtype === "bool" ? (column.values as Uint8Array) : whole.f64(name);
    if (column.at === "token")
      return { ...padTokens(values, whole, rows, B, T, width, expr.dtype), shape: column.width === undefined ? [B, T] : [B, T, width] };
    if (column.at === "step") return { shape: expr.shape as number[], data: values };
    const data = new (values.constructor as Float64ArrayConstructor)(B * width) as Float64Array;
    for (let i = 0; i < rows.length; i++) {
      const from = (column.at === "group" ? whole.group[rows[i]!]! : rows[i]!) * width;
      data.set((values as Float64Array).subarray(from, from + width), i * width);
    }
    return { shape: [B, width], data };
  }
}

/** [rows] of the batch: which of the column's values each row holds, from 0 in order of first appearance. */
function categoriesOf(batch: Batch, column: string): Int32Array {
  const ids = new Map<unknown, number>();
  return Int32Array.from(batch.column(column).values as ArrayLike<unknown>, (value) => {
    if (!ids.has(value)) ids.set(value, ids.size);
    return ids.get(value)!;
  });
}

/** The loss mask less the tokens or rows for which a bool column holds. */
function maskWithout(batch: Batch, column: string): Uint8Array {
  const values = batch.f64(column);
  const left = batch.column(column).at === "row" ? batch.repeat(values) : values;
  return lossMask(batch).map((kept, t) => (left[t] ? 0 : kept));
}

function padTokens(
  values: ArrayLike<number>,
  batch: Batch,
  rows: ArrayLike<number>,
  B: number,
  T: number,
  width: number,
  dtype: Expr["dtype"],
): FeedValue {
  const data = new (dtype === "bool" ? Uint8Array : dtype === "int" ? Int32Array : Float64Array)(B * T * width);
  for (let i = 0; i < rows.length; i++) {
    const from = batch.offsets[rows[i]!]! * width;
    const count = batch.offsets[rows[i]! + 1]! * width - from;
    if (count > T * width) throw new DataError(`row ${rows[i]} has ${count / width} tokens, more than the ${T} of this graph`);
    for (let k = 0; k < count; k++) data[i * T * width + k] = values[from + k]!;
  }
  return { shape: [B, T], data };
}

function aggregate(context: Context, value: Expr, key: string, part: string): Expr {
  const name = aggregationName(key);
  if (key.includes("!") && (name === "scalar" || name === "row-mean")) {
    throw new CompositionError(`${part}: a term that leaves tokens out cannot have the aggregation "${name}"`);
  }
  if (name === "scalar") {
    if (value.shape.some((dim) => dim !== 1)) {
      throw new CompositionError(`${part}: a term with aggregation "scalar" has shape ${formatShape(value.shape)}`, {
        accepted: "[] or [1, 1]",
      });
    }
    return value.sum();
  }
  const { B, T } = context.dims;
  const perRow = value.rank === 2 && value.shape[0] === B && value.shape[1] === 1 && T !== 1;
  if (name === "row-mean") {
    if (!perRow && !(value.rank === 2 && value.shape[1] === 1)) {
      throw new CompositionError(`${part}: "row-mean" takes one value a row, [B, 1], not ${formatShape(value.shape)}`);
    }
    return where(context.rowExists, value, 0).mul(context.aggregationWeights(key, true)).sum();
  }
  const weights = context.aggregationWeights(key, false);
  // A row's value stands for all its tokens: Σ_t w[b, t]·value[b].
  if (perRow) return where(context.rowMask, value, 0).mul(weights.sum(1, true)).sum();
  return where(context.mask, value, 0).mul(weights).sum();
}

const toFloat = (x: Expr): Expr => x.cast("float");

/** [B, T], or [B, 1]: the same for all tokens of a row. */
const isPerToken = ({ shape }: Expr, { B, T }: ObjectiveDims): boolean =>
  shape.length === 2 && shape[0] === B && (shape[1] === T || shape[1] === 1);

const isExpr = (value: unknown): value is Expr => typeof value === "object" && value !== null && "op" in value;
