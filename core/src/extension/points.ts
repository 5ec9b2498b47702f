import type { PolicyBackend, StepValues } from "../policy/index.js";
import type { Batch, ColumnInput, Group, Prompt, Random, Trajectory } from "../rollout/index.js";
import type { Expr } from "../tensor/index.js";
import type { Context } from "./context.js";
import type { Services } from "./services.js";

/** A plain serialisable value, owned by the trainer: checkpointed and restored bit for bit. Typed arrays are allowed. */
export interface State {
  version: number;
}

/** Named scalars of a step; NaN where a value does not exist in this step. */
export type Metrics = Readonly<Record<string, number>>;

export interface StepContext<S extends State = State> {
  /** Training step, from 0. */
  step: number;
  state: S;
  services: Services;
  random: Random;
}

/** What the updates of a step did. */
export interface UpdateOutcome<S extends State = State> {
  /** What the component's terms observed, by name, averaged over the updates that were made; empty when all were skipped. */
  observed: Readonly<Record<string, Float64Array>>;
  batch: Batch;
  services: Services;
  state: S;
  step: number;
}

/** What any stateful component may add. */
export interface Stateful<S extends State = State> {
  /** A fresh value at each call. */
  initialState(): S;
  /** Tensors that the component's terms read by name in the coming update. */
  stepValues?(state: S, facts: { step: number; learningRate: number }): StepValues;
  /** After the step's updates. */
  afterUpdate?(outcome: UpdateOutcome<S>): Promise<S> | S;
  /** After a held-out evaluation. */
  afterEvaluation?(outcome: { metrics: Metrics; state: S; step: number }): S;
  /** Turns the state of an older version into the present one. */
  migrate?(state: State): S;
}

export type MaybeStateful<S extends State = State> = Partial<Stateful<S>>;

// ── Sampler ─────────────────────────────────────────────────────────────────────────────────────────

/** Prompts to draw from, in a fixed order. */
export interface PromptSource {
  readonly size: number;
  get(index: number): Prompt;
  /** A prompt like `base` with another text (a hint, a prefix), tokenised like the data set. */
  derive(base: Prompt, text: string): Prompt;
}

export interface GenerateRequest {
  prompt: Prompt;
  /** Response tokens that are given instead of sampled. */
  prefix?: Int32Array;
  /** At most this many tokens behind the prefix; by default what the prefix leaves of the run's `maxTokens`. */
  maxTokens?: number;
  temperature?: number;
  /** Take the likeliest token at every position; log-probs stay those at the temperature. */
  greedy?: boolean;
  /** Texts that end this response beside the run's `stopStrings`. */
  stopStrings?: readonly string[];
  /** Names the noise of this response inside the step; by default its place in the call. */
  key?: string;
  /** Columns the trajectory shall carry (`hinted`, `treePath`, …). */
  columns?: Readonly<Record<string, unknown>>;
}

export interface GenerationOptions {
  /**
   * The calls of the step that say so go on from each other's responses (`prefix`): what the engine computed of a response is kept
   * for later ones. "last": these responses go on from earlier ones, none from them.
   */
  continued?: true | "last";
}

export interface SampleContext<S extends State = State> extends StepContext<S> {
  prompts: PromptSource;
  /** Longest response of the run, tokens. */
  maxTokens: number;
  /** One trajectory a request, in order: single-turn decoding or, with an environment, whole episodes. */
  generate(requests: readonly GenerateRequest[], options?: GenerationOptions): Promise<Trajectory[]>;
  /** Scores groups with the run's reward models: a batch with `rewards` and `rewardComponents`. */
  score(groups: readonly Group[]): Promise<Batch>;
  policy: Pick<PolicyBackend, "score" | "decode" | "info" | "tokenizer">;
}

export interface SampleResult<S extends State = State> {
  groups: readonly Group[];
  /** The groups' rows, scored, with every column that the sampler writes. */
  batch: Batch;
  state: S;
  metrics: Metrics;
}

export interface Sampler<S extends State = State> extends MaybeStateful<S> {
  collect(context: SampleContext<S>): Promise<SampleResult<S>>;
  /** What the policy is shown for a prompt at evaluation; the prompt itself when left out. */
  evaluationPrompt?(prompt: Prompt, facts: { state: S; prompts: Pick<PromptSource, "derive"> }): Prompt;
}

// ── Reward ──────────────────────────────────────────────────────────────────────────────────────────

export interface RewardContext<S extends State = State> extends StepContext<S> {
  /** Only for a component that wraps others: their weighted sum and their single columns, [B]. */
  inner?: { rewards: Float64Array; components: Readonly<Record<string, Float64Array>> };
}

export interface RewardResult<S extends State = State> {
  /** [B], null = unverifiable: the row gets no reward and takes no part in the update. */
  rewards: ArrayLike<number | null>;
  /** Named parts of the reward, [B] each, for metrics and for components that read them. */
  components?: Readonly<Record<string, ArrayLike<number | null>>>;
  /** Further columns that the component writes. */
  columns?: Readonly<Record<string, ColumnInput>>;
  state?: S;
  metrics?: Metrics;
}

/** What follows when a reward model throws or takes too long. */
export interface RewardFailure {
  /** For the responses of a step; null = no limit. */
  timeoutSeconds: number | null;
  /** Further tries. */
  retries: number;
  /** `unverifiable`: the responses get no reward and take no part in the update. */
  onFailure: "stop" | "unverifiable";
}

export interface RewardModel<S extends State = State> extends MaybeStateful<S> {
  /** `batch` holds texts, tokens, golds, sampler log-probs and every column of the data set that the component reads. */
  score(batch: Batch, context: RewardContext<S>): Promise<RewardResult<S>> | RewardResult<S>;
}

// ── Advantage ───────────────────────────────────────────────────────────────────────────────────────

export interface EstimateResult<S extends State = State> {
  /** `advantages` (by row or by token), and whatever else the component writes: returns, weights, keep, tokenWeights, … */
  columns: Readonly<Record<string, ColumnInput>>;
  state?: S;
  metrics?: Metrics;
}

export interface AdvantageEstimator<S extends State = State> extends MaybeStateful<S> {
  /** Candidates a token that it reads (`candidateProbs`, `candidateTokens`); the adapter's choice when left out. */
  readonly candidates?: number;
  estimate(batch: Batch, context: StepContext<S>): Promise<EstimateResult<S>> | EstimateResult<S>;
}

// ── Terms of the loss ───────────────────────────────────────────────────────────────────────────────

/**
 * How per-token values become one number. Only masked-in tokens count; rows without any are empty and are left out.
 * - `token-mean`: sum over tokens / number of tokens
 * - `seq-mean-token-mean`: mean over non-empty rows of the token mean
 * - `seq-mean-token-sum`: mean over non-empty rows of the token sum
 * - `seq-mean-token-sum-norm`: the same divided by `fixedLength`, the run's longest response when left out
 * - `prompt-mean`: mean over groups of the mean over all tokens of the group; groups without any are left out
 * - `otm`: sum over rows of the token mean, divided by the number of groups
 * - `row-mean`: values of rows [B, 1], mean over ALL rows, empty ones included
 * - `token-sum`: sum over tokens
 * - `scalar`: the value is the loss already
 */
export const AGGREGATIONS = [
  "token-mean",
  "seq-mean-token-mean",
  "seq-mean-token-sum",
  "seq-mean-token-sum-norm",
  "prompt-mean",
  "otm",
  "row-mean",
  "token-sum",
  "scalar",
] as const;
export type AggregationName = (typeof AGGREGATIONS)[number];
export type Aggregation = AggregationName | { kind: AggregationName; fixedLength: number };

/** A value to read out of the graph, without gradient: an expression is summed over micro-batches, a `value` is aggregated like a term. */
export type Observation = Expr | { value: Expr; aggregation?: Aggregation };

export interface Term {
  /** To be minimised. [B, T] per token, [B, 1] per row (standing for all its tokens), or a scalar. */
  value: Expr;
  /** The algorithm's when left out. */
  aggregation?: Aggregation;
  /** Bool column of rows or tokens: where it holds, tokens count neither in the sum nor in the mean's denominator. */
  without?: string;
  /** Distinguishes several terms of one component in metrics. */
  name?: string;
  observe?: Readonly<Record<string, Observation>>;
  /** Per-token facts [B, T] ([B, 1]: of all tokens of the row) about what the term did, e.g. which tokens it kept. No gradient. */
  perToken?: Readonly<Record<string, Expr>>;
}

/** Named step values of the component, as expressions of the shapes that `stepValues` gave. */
export type StepExpressions = Readonly<Record<string, Expr>>;

interface TermsProvider<S extends State = State> extends MaybeStateful<S> {
  terms(context: Context, stepValues: StepExpressions): Term | readonly Term[];
}

/** How far may the policy move: the policy-gradient surrogate. */
export interface TrustRegionGate<S extends State = State> extends TermsProvider<S> {}
/** What else is penalised. */
export interface Regularizer<S extends State = State> extends TermsProvider<S> {}
/** A whole loss in place of a gate. */
export interface Objective<S extends State = State> extends TermsProvider<S> {}
export type LossComponent = TrustRegionGate | Regularizer | Objective;
