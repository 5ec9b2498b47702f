import type { Batch } from "../rollout/index.js";
import type { LossProgram } from "./loss.js";
import type { Tokenizer } from "./tokenizer.js";

/** What a policy is, for headers, checks and reports. */
export interface PolicyInfo {
  architecture: string;
  parameters: number;
  vocabularySize: number;
  /** Width of the final-layer state; 0 when there is none. */
  hiddenSize: number;
  /** Prompt and response together, tokens. */
  contextLength: number;
  /** Provider and device in words, e.g. "ONNX Runtime 1.30.0, cpu, 2 threads". */
  engine: string;
  /** How the model's makers sample from it, in words, where they say so. It changes nothing: the config says how a run samples. */
  suggestedSampling?: string;
}

export interface DecodeRequest {
  /** Prompt tokens. Requests with equal prompts share one prefill. */
  prompt: Int32Array;
  /** Response tokens that are given, not sampled: kept in front of what is decoded; their log-probs are returned too. */
  prefix?: Int32Array;
  /** false: log-probs of the prefix's tokens are not needed; they may come as 0. */
  prefixLogp?: boolean;
  /** Identity of this response's noise: equal keys and positions give equal draws, whatever else is decoded beside it. */
  key: number;
  /** Longest response, `prefix` included. */
  maxTokens: number;
  temperature: number;
  /**
   * 0 = off. Log-probs stay those of the temperature-scaled distribution, without renormalising to what top-k, top-p or min-p
   * keep, and without the repetition penalty.
   */
  topK?: number;
  topP?: number;
  minP?: number;
  /**
   * Logits of tokens that stand in the prompt or earlier in the response are divided by it where positive and multiplied where
   * negative; 1 = off. Keskar et al. 2019 (1909.05858), section 4.1.
   */
  repetitionPenalty?: number;
  /** Take the most likely token at every position. */
  greedy?: boolean;
  /** Ids that end the response; the tokenizer's by default. */
  stopTokens?: readonly number[];
  /** Texts that end the response, at the token that completes one of them in the decoded response (`StopWatcher`). */
  stopStrings?: readonly string[];
}

export interface DecodeOptions {
  /**
   * Calls with the same name, one after the other, go on from each other's responses: what a call computed of a response serves
   * where a later one has that response, or a beginning of it, as its `prefix`. Kept until an update, or a call with another name.
   * Results are those of a call without it, up to rounding.
   */
  keep?: string;
  /** Nothing goes on from this call's responses: they are not kept. */
  last?: boolean;
}

export interface DecodeResult {
  /** Response tokens, prefix included; the stop token, or the token that completes a stop string, is the last. */
  tokens: Int32Array;
  /** Log-probability of each response token under the sampling distribution, nats. */
  logp: Float64Array;
  finish: "stop" | "length";
}

/** Per-token quantities that the policy can compute beside log-probs. What is not asked for is not in the graph. */
export type PolicyOutput = "logp" | "entropy" | "values" | "hidden" | "topK" | "logits";

export interface ScoreRow {
  prompt: Int32Array;
  response: Int32Array;
}

export interface ScoreOptions {
  outputs: readonly PolicyOutput[];
  /** Logits are divided by it before the softmax. */
  temperature: number;
  /** K of the `topK` output. */
  topK?: number;
  /** A frozen copy made by `snapshot` instead of the current parameters. */
  snapshot?: string;
}

/** Flat over all response tokens of the rows, in order. `values` only with a value head; `hidden` [tokens · H]. */
export interface ScoreResult {
  logp?: Float64Array;
  entropy?: Float64Array;
  values?: Float64Array;
  hidden?: Float64Array;
  candidateProbs?: Float64Array;
  candidateTokens?: Int32Array;
}

export type StepValue = number | { shape: readonly number[]; data: ArrayLike<number> };
/** Named float32 tensors fed at each step, by component id and name: a changed value never rebuilds the graph. */
export type StepValues = Readonly<Record<string, StepValue>>;

export interface UpdateRequest {
  program: LossProgram;
  /** Rows of this update, with every column the program reads. */
  batch: Batch;
  stepValues: StepValues;
  learningRate: number;
  temperature: number;
}

export interface UpdateResult {
  loss: number;
  /** Global L2 norm before clipping. */
  gradNorm: number;
  /** Loss or gradient was not finite: parameters and moments are what they were. */
  skipped: boolean;
  /** Values named by the terms' `observe`, summed over micro-batches. Scalars have length 1. */
  observed: Readonly<Record<string, Float64Array>>;
  /** Log-probs that the update saw, flat over response tokens, nats. */
  logp?: Float64Array;
}

/**
 * huggingface = config.json, model.safetensors and the tokenizer; onnx = config.json, onnx/model.onnx with a cache of keys and
 * values, and the tokenizer, as transformers.js reads them.
 */
export const EXPORT_FORMATS = ["huggingface", "onnx"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface ExportOptions {
  /** Default huggingface. */
  format?: ExportFormat;
}

/** Where a policy and its optimizer live. All methods are serial: a call waits for the one before it. */
export interface PolicyBackend {
  readonly info: PolicyInfo;
  readonly tokenizer: Tokenizer;
  /** Results stand in the order of the requests and do not depend on it. */
  decode(requests: readonly DecodeRequest[], options?: DecodeOptions): Promise<DecodeResult[]>;
  score(rows: readonly ScoreRow[], options: ScoreOptions): Promise<ScoreResult>;
  /** Forward, objective, backward, clip and optimizer step. A non-finite loss or gradient leaves everything unchanged. */
  update(request: UpdateRequest): Promise<UpdateResult>;
  /** How many updates `updateAll` takes at once with profit; 1 if left out. */
  readonly updatesPerRun?: number;
  /** What as many calls of `update` in this order give. */
  updateAll?(requests: readonly UpdateRequest[]): Promise<UpdateResult[]>;
  /**
   * Gradient of the program's loss with respect to the named parameters (all by default), flat per parameter, without a step.
   */
  gradients(request: Omit<UpdateRequest, "learningRate">, parameters?: readonly string[]): Promise<Record<string, Float32Array>>;
  /** Keeps a frozen copy of the current parameters under `name`, replacing an earlier one. */
  snapshot(name: string): Promise<void>;
  /** A number that is another one, but for a freak of chance, once trained parameters have changed. Cheap beside an update. */
  fingerprint?(): Promise<number>;
  /** Writes parameters, moments, snapshots and counters into an existing folder. */
  save(folder: string): Promise<void>;
  /** Reads what `save` wrote: the next update is the one that would have followed, bit for bit. */
  restore(folder: string): Promise<void>;
  /** Writes the model for use elsewhere into an existing folder. */
  export(folder: string, options?: ExportOptions): Promise<void>;
  close(): Promise<void>;
}

export interface OptimizerOptions {
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  /** Global L2 norm that gradients are clipped to; null = no clip. */
  maxGradNorm: number | null;
}

export interface OpenPolicyRequest {
  /** The config's `model` section, validated by the adapter's schema. */
  model: unknown;
  /** The config's `engine` section, validated by the adapter's schema. */
  engine: unknown;
  optimizer: OptimizerOptions;
  /** Initialises what a checkpoint does not hold (a value head, LoRA, a new model). */
  seed: number;
  /** Some component trains values: the policy gets a value head. */
  valueHead: boolean;
}

/** What an adapter package provides: opens a policy from the `model` and `engine` sections of a config. */
export interface PolicyAdapter {
  open(request: OpenPolicyRequest): Promise<PolicyBackend>;
}
