import { DataError } from "../errors.js";
import type { ObjectiveDims, PolicyLeaves, PolicyOutput } from "../policy/index.js";
import { type Batch, type ColumnSpecs, isStandardColumn, STANDARD_COLUMNS } from "../rollout/index.js";
import { type Dim, type DType, type Expr, input, type Shape, where } from "../tensor/index.js";

/** Log-ratios are clamped to ±20 before the exponential: exp(20) ≈ 4.9e8 is the largest ratio that is told apart. */
const LOG_RATIO_LIMIT = 20;

/** exp(clip(x, -20, 20)): a ratio from its logarithm, nats. */
export const ratioOf = (logRatio: Expr): Expr => logRatio.clip(-LOG_RATIO_LIMIT, LOG_RATIO_LIMIT).exp();

/** A number of a whole update, from its columns. */
export type UpdateNumber = (update: Batch) => number;

/**
 * What terms see. Token quantities are [B, T], row quantities [B, 1], batch quantities [1, 1]: all broadcast against each
 * other. Padded and masked-out positions hold 0 whatever they held in the data. Every quantity is built on first use.
 */
export class Context {
  private readonly made = new Map<string, Expr>();
  /** Inputs that the terms asked for, by feed name. */
  readonly inputs = new Map<string, Expr>();
  readonly outputs = new Set<PolicyOutput>();
  /** Names of the batch columns that were read. */
  readonly columnsRead = new Set<string>();
  /** Candidates a token that the terms asked for. */
  topK: number | undefined;
  private candidateLeaves?: { probs: Expr; tokens: Expr };
  /** What the host computes over the whole update, by name. */
  readonly updateNumbers = new Map<string, UpdateNumber>();

  constructor(
    readonly dims: ObjectiveDims,
    private readonly leaves: PolicyLeaves,
    private readonly specs: ColumnSpecs,
    private readonly available: (column: string) => boolean = () => true,
  ) {}

  private once(name: string, make: () => Expr): Expr {
    const known = this.made.get(name);
    if (known !== undefined) return known;
    const value = make();
    this.made.set(name, value);
    return value;
  }

  private feed(name: string, shape: Shape, dtype: DType = "float"): Expr {
    return this.once(`input:${name}`, () => {
      const value = input(name, shape, dtype);
      this.inputs.set(name, value);
      return value;
    });
  }

  /** [B, T] bool: tokens that the policy chose and is trained on. */
  get mask(): Expr {
    return this.feed("mask", [this.dims.B, this.dims.T], "bool");
  }

  /** [B, 1] bool: rows with at least one token in the mask. */
  get rowMask(): Expr {
    return this.once("rowMask", () => this.lengths.greater(0));
  }

  /** [B, 1] number of tokens in the mask. */
  get lengths(): Expr {
    return this.once("lengths", () => this.mask.cast("float").sum(1, true));
  }

  /** 0 outside the mask: NaN there can reach neither the loss nor a gradient. */
  private masked(x: Expr): Expr {
    return where(this.mask, x, 0);
  }

  private output(name: PolicyOutput, make: () => Expr): Expr {
    this.outputs.add(name);
    return this.once(`policy:${name}`, make);
  }

  /** [B, T] log-probability of each sampled token under the current policy, nats. */
  get logp(): Expr {
    this.columnsRead.add("logp");
    return this.output("logp", () => this.masked(this.leaves.logp()));
  }

  /** [B, T] entropy of the current policy at each token, nats; differentiable. */
  get entropy(): Expr {
    this.columnsRead.add("entropy");
    return this.output("entropy", () => this.masked(this.leaves.entropy()));
  }

  /** [B, T] value-head prediction of the state in which each token is chosen; differentiable. */
  get values(): Expr {
    this.columnsRead.add("values");
    return this.output("values", () => this.masked(this.leaves.values()));
  }

  /** [B, T, H] final-layer state that predicts each token; differentiable. */
  get hidden(): Expr {
    this.columnsRead.add("hidden");
    return this.output("hidden", () => where(this.mask.expandDims(-1), this.leaves.hidden(), 0));
  }

  /**
   * [B, T, K] probabilities under the current policy and vocabulary ids (int) of the K most likely tokens, most likely first;
   * 0 outside the mask, no gradient. K is the largest `count` that a term of the run asks for.
   */
  candidates(count: number): { probs: Expr; tokens: Expr } {
    this.outputs.add("topK");
    this.columnsRead.add("candidateProbs").add("candidateTokens");
    this.topK = Math.max(this.topK ?? 0, count);
    this.candidateLeaves ??= this.leaves.topK();
    const { probs, tokens } = this.candidateLeaves;
    const visible = this.mask.expandDims(-1);
    return {
      probs: this.once("policy:topKProbs", () => where(visible, probs.stopGradient(), 0)),
      tokens: this.once("policy:topKTokens", () => where(visible, tokens, 0)),
    };
  }

  /** [B, T, V] logits of the current policy; differentiable. Holds the whole vocabulary for every token. */
  get logits(): Expr {
    return this.output("logits", () => where(this.mask.expandDims(-1), this.leaves.logits(), 0));
  }

  get oldLogp(): Expr {
    return this.column("oldLogp");
  }
  get refLogp(): Expr {
    return this.column("refLogp");
  }
  get teacherLogp(): Expr {
    return this.column("teacherLogp");
  }
  get rewards(): Expr {
    return this.column("rewards");
  }
  get returns(): Expr {
    return this.column("returns");
  }
  get oldValues(): Expr {
    return this.column("oldValues");
  }
  /** [B, T] token ids, int. */
  get tokens(): Expr {
    return this.column("tokens");
  }

  /** [B, T] credit of each token, times the columns `weights` [B] and `tokenWeights` [B, T] where the run has them. Constant. */
  get advantages(): Expr {
    return this.once("advantages", () => {
      let result = this.column("advantages");
      for (const name of ["weights", "tokenWeights"]) if (this.available(name)) result = result.mul(this.column(name));
      return result;
    });
  }

  /** [B, T] logp - oldLogp, not clamped. */
  get logRatio(): Expr {
    return this.once("logRatio", () => this.logp.sub(this.oldLogp));
  }

  /** [B, T] exp(clip(logp - oldLogp, -20, 20)). */
  get ratio(): Expr {
    return this.once("ratio", () => ratioOf(this.logRatio));
  }

  /** [B, 1] exp of the response's mean log-ratio, clamped alike: the geometric mean of its token ratios. */
  get sequenceRatio(): Expr {
    return this.once("sequenceRatio", () => ratioOf(this.sequenceMean(this.logRatio)));
  }

  /** A column that is in the batch (true) or was left out of this run. */
  has(name: string): boolean {
    return this.available(name);
  }

  /** A column of the batch, constant: token columns [B, T] (or [B, T, width]), row columns [B, 1] (or [B, width]); step columns [width]. */
  column(name: string): Expr {
    return this.once(`column:${name}`, () => {
      const spec = this.specs[name] ?? (isStandardColumn(name) ? STANDARD_COLUMNS[name] : undefined);
      if (spec === undefined) throw new DataError(`no component declares the column "${name}"`);
      if (spec.dtype === "string" || spec.dtype === "json")
        throw new DataError(`column "${name}" holds ${spec.dtype} values, which no loss can read`);
      this.columnsRead.add(name);
      const { B, T } = this.dims;
      const dtype: DType = spec.dtype === "f64" ? "float" : spec.dtype === "i32" ? "int" : "bool";
      const width = spec.width === undefined ? [] : [this.resolveWidth(spec.width)];
      if (spec.at === "step") return this.feed(`column:${name}`, width.length > 0 ? width : [1, 1], dtype);
      if (spec.at !== "token") return this.feed(`column:${name}`, [B, ...(width.length > 0 ? width : [1])], dtype);
      const raw = this.feed(`column:${name}`, [B, T, ...width], dtype);
      if (dtype === "bool") return raw.and(width.length > 0 ? this.mask.expandDims(-1) : this.mask);
      return width.length > 0 ? where(this.mask.expandDims(-1), raw, 0) : this.masked(raw);
    });
  }

  /** [1, 1] largest value of a row or token column over the whole update, on the host: the same in every micro-batch. -inf without rows. */
  columnMax(name: string): Expr {
    this.columnsRead.add(name);
    return this.updateNumber(`max ${name}`, (update) => update.f64(name).reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY));
  }

  private resolveWidth(width: number | string): Dim {
    if (typeof width === "number") return width;
    return width === "H" ? this.dims.H : width === "K" ? this.dims.K : width === "V" ? this.dims.V : width;
  }

  // Reductions over the mask. Each result broadcasts back to [B, T].

  /** [B, 1] sum over the row's tokens. */
  sequenceSum(x: Expr): Expr {
    return this.masked(x).sum(1, true);
  }

  /** [B, 1] mean over the row's tokens; 0 for an empty row. */
  sequenceMean(x: Expr): Expr {
    return this.sequenceSum(x).div(this.lengths.max(1));
  }

  /** [B, B] bool: rows of the same group. Padding rows are of no group. */
  get sameGroup(): Expr {
    return this.once("sameGroup", () => {
      const group = this.feed("group", [this.dims.B, 1], "int");
      return group.equal(group.transpose([1, 0])).and(group.greaterEqual(0));
    });
  }

  /** [B, 1] bool: rows that exist (empty responses included), as opposed to padding of the batch. */
  get rowExists(): Expr {
    return this.once("rowExists", () => this.feed("group", [this.dims.B, 1], "int").greaterEqual(0));
  }

  /** [B, 1] sum of a row quantity [B, 1] over the rows of the same group. */
  groupSum(x: Expr): Expr {
    return this.sameGroup.cast("float").matmul(where(this.rowExists, x, 0));
  }

  /** [B, 1] number of rows in the same group, empty ones included. */
  get groupSize(): Expr {
    return this.once("groupSize", () => this.sameGroup.cast("float").sum(1, true));
  }

  groupMean(x: Expr): Expr {
    return this.groupSum(x).div(this.groupSize.max(1));
  }

  /** [B, 1] largest value among the rows of the same group for which `among` [B, 1] holds; -inf when there is none. */
  groupMax(x: Expr, among: Expr = this.rowExists): Expr {
    const visible = this.sameGroup.and(among.transpose([1, 0]));
    return where(visible, x.transpose([1, 0]), Number.NEGATIVE_INFINITY).reduceMax(1, true);
  }

  /** [B, B] at (i, j): the row quantity x [B, 1] of row j where rows i and j are of one group, elsewhere 0. */
  groupPeers(x: Expr): Expr {
    return where(this.sameGroup, x.transpose([1, 0]), 0);
  }

  /** [B, B] bool: rows that hold the same value in a row column of any type. Padding rows hold none. */
  sameValue(column: string): Expr {
    return this.once(`sameValue:${column}`, () => {
      this.columnsRead.add(column);
      const value = this.feed(`category:${column}`, [this.dims.B, 1], "int");
      return value.equal(value.transpose([1, 0])).and(value.greaterEqual(0));
    });
  }

  /** [B, 1] sum of a row quantity [B, 1] over the rows that hold the same value in a row column. */
  sumBy(column: string, x: Expr): Expr {
    return this.sameValue(column)
      .cast("float")
      .matmul(where(this.rowExists, x, 0));
  }

  /** [1, 1] number of groups in the update. */
  get groups(): Expr {
    return this.feed("groups", [1, 1]);
  }

  /**
   * [1, 1] a number that the host computes from the columns of the whole update, so that every micro-batch sees the same.
   * Equal names stand for the same number.
   */
  updateNumber(name: string, of: UpdateNumber): Expr {
    this.updateNumbers.set(name, of);
    return this.feed(`update:${name}`, [1, 1]);
  }

  /** [1, 1] sum of a row [B, 1] or token [B, T] quantity over the batch. */
  batchSum(x: Expr): Expr {
    return (x.shape[1] === 1 ? where(this.rowExists, x, 0) : this.masked(x)).sum([0, 1], true);
  }

  /** [1, 1] mean of a token quantity over all tokens, or of a row quantity over all rows that exist. */
  batchMean(x: Expr): Expr {
    const count = x.shape[1] === 1 ? this.rowExists.cast("float") : this.mask.cast("float");
    return this.batchSum(x).div(count.sum([0, 1], true).max(1));
  }

  /** A tensor that the host feeds at each step. */
  stepValue(component: string, name: string, shape: Shape): Expr {
    return this.feed(`step:${component}.${name}`, shape);
  }

  /** Weight of each token [B, T] (rows [B, 1] for `row-mean`) under an aggregation, computed on the host over the whole update. */
  aggregationWeights(key: string, perRow: boolean): Expr {
    return this.feed(`weight:${key}`, [this.dims.B, perRow ? 1 : this.dims.T]);
  }
}
