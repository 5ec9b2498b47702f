import { type DecodeRequest, type DecodeResult, evaluate, input, iota, Random, type TensorValue, tensor, where } from "@proximal/core";
import { Tensor } from "onnxruntime-node";
import {
  type Architecture,
  arrangeWeights,
  completeConfig,
  type DecodeLimits,
  decodeGraph,
  decodeRun,
  extendGraph,
  type KeptSequences,
  logits,
  packRequests,
  parameterInputs,
  parameterTable,
  prefillGraph,
  ropeTables,
  Session,
  StopStrings,
  type TransformerConfig,
  transformer,
  uniform,
  unpackResults,
} from "../../src/index.js";

export interface TestPolicy {
  config: TransformerConfig;
  /** Rounded to float32. */
  parameters: Readonly<Record<string, TensorValue>>;
  limits: DecodeLimits;
}

/** A policy with random parameters, large enough that its distributions are uneven. */
export function randomPolicy(seed: number, overrides: Partial<Architecture> = {}): TestPolicy {
  const config = completeConfig({
    model_type: "qwen3",
    vocab_size: 23,
    hidden_size: 12,
    intermediate_size: 16,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 6,
    max_position_embeddings: 64,
    rope_theta: 10_000,
    rms_norm_eps: 1e-6,
    tie_word_embeddings: true,
    initializer_range: 0.5,
    ...overrides,
  });
  const random = new Random(seed);
  const value = () => Math.fround(0.5 * random.normal());
  const parameters = Object.fromEntries(
    parameterTable(config).map(({ name, shape }) => [name, tensor(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, value), shape)]),
  );
  return {
    config,
    parameters,
    limits: { vocabularySize: config.vocab_size, contextLength: config.max_position_embeddings, stopTokens: [] },
  };
}

/** Token i is the letter of that place, from a. */
export const letters = { decode: (tokens: ArrayLike<number>) => String.fromCharCode(...Array.from(tokens, (token) => 97 + token)) };

export interface DecodeOptions {
  maxRows?: number;
  /** What earlier calls kept, and where this one keeps. */
  kept?: KeptSequences;
  /** Nothing of it is kept. */
  last?: boolean;
  /** Sees each tensor that goes into computing given tokens. */
  onPrefill?: (feeds: Readonly<Record<string, Tensor>>) => void;
  /** Sees each tensor that goes into a decoding segment. */
  onSegment?: (feeds: Readonly<Record<string, Tensor>>, results: Readonly<Record<string, Tensor>>) => void;
}

/** `PolicyBackend.decode` through the graphs. */
export async function decode(policy: TestPolicy, requests: readonly DecodeRequest[], options: DecodeOptions = {}): Promise<DecodeResult[]> {
  const { config, limits } = policy;
  const job = packRequests(requests, limits);
  const parameters = Object.fromEntries(
    Object.entries(policy.parameters).map(([name, { data, shape }]) => [name, new Tensor("float32", Float32Array.from(data), shape)]),
  );
  const sessions = {
    prefill: await Session.create(prefillGraph(config, { prefixes: job.prefixes }), { threads: 1 }),
    extend: await Session.create(extendGraph(config), { threads: 1 }),
    decode: await Session.create(decodeGraph(config, job.variant), { threads: 1 }),
  };
  const run = sessions.decode.run.bind(sessions.decode);
  sessions.decode.run = async (feeds, fetches) => {
    const results = await run(feeds, fetches);
    options.onSegment?.(feeds, results);
    return results;
  };
  for (const role of ["prefill", "extend"] as const) {
    const session = sessions[role];
    const whole = session.run.bind(session);
    session.run = (feeds, fetches) => {
      options.onPrefill?.(feeds);
      return whole(feeds, fetches);
    };
  }
  try {
    const stops = new StopStrings(requests, letters);
    const decoding = decodeRun(job, {
      session: async (role) => sessions[role],
      parameters,
      maxRows: options.maxRows ?? 64,
      kept: options.kept,
      last: options.last,
    });
    let step = await decoding.next([]);
    while (!step.done) step = await decoding.next(stops.endings(step.value));
    return unpackResults(step.value);
  } finally {
    await Promise.all(Object.values(sessions).map((session) => session.release()));
  }
}

/** Logits after each token of a sequence, [T, V] in float64, without any cache. */
export function referenceLogits({ config, parameters }: TestPolicy, tokens: readonly number[]): Float64Array[] {
  const count = tokens.length;
  const weights = arrangeWeights(config, parameterInputs(parameterTable(config)));
  const causal = where(iota(count).expandDims(1).less(iota(count)), Number.NEGATIVE_INFINITY, 0);
  const shared = config.num_attention_heads / config.num_key_value_heads;
  const hidden = transformer(config, weights, input("ids", [count], "int"), ropeTables(config, iota(count), count), ({ q, k, v }) => {
    const perHead = (x: typeof k) =>
      x.expandDims(2).broadcastTo([count, config.num_key_value_heads, shared, config.head_dim]).reshape(q.shape).transpose([1, 0, 2]);
    const scores = q.transpose([1, 0, 2]).matmul(perHead(k), { transposeB: true }).div(Math.sqrt(config.head_dim));
    return scores.add(causal).softmax(-1).matmul(perHead(v)).transpose([1, 0, 2]);
  });
  const [value] = evaluate([logits(hidden, weights)], { ...parameters, ids: tensor([...tokens], [count], "int") });
  const all = value!.data as Float64Array;
  return Array.from({ length: count }, (_, t) => all.slice(t * config.vocab_size, (t + 1) * config.vocab_size));
}

export function softmax(logits: ArrayLike<number>, temperature: number): number[] {
  const peak = Math.max(...Array.from(logits));
  const weights = Array.from(logits, (z) => Math.exp((z - peak) / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / total);
}

/** Logits with the tokens that occurred before made less likely. */
const penalised = (logits: Float64Array, before: readonly number[], penalty: number): Float64Array =>
  logits.map((z, i) => (before.includes(i) ? (z > 0 ? z / penalty : z * penalty) : z));

/** The weights that top-k, then top-p among those, then min-p leave; written with an explicit ranking. */
function filtered(probs: readonly number[], { topK = 0, topP = 1, minP = 0 }: Partial<DecodeRequest>): number[] {
  const ranking = probs.map((_, i) => i).sort((a, b) => probs[b]! - probs[a]!);
  const top = topK > 0 ? ranking.slice(0, topK) : ranking;
  const mass = top.reduce((sum, i) => sum + probs[i]!, 0);
  const kept = new Set<number>();
  let before = 0;
  for (const i of top) {
    if ((before < topP * mass || topP === 1) && probs[i]! >= minP * probs[ranking[0]!]!) kept.add(i);
    before += probs[i]!;
  }
  return probs.map((p, i) => (kept.has(i) ? p : 0));
}

/** The number of tokens whose cumulative weight does not exceed u times the total. */
export function draw(weights: readonly number[], u: number): number {
  const target = u * weights.reduce((a, b) => a + b, 0);
  let [sum, token] = [0, 0];
  for (const weight of weights) {
    sum += weight;
    if (sum > target) return token;
    token++;
  }
  return weights.length - 1;
}

/** One response, token by token, in float64. */
export function referenceDecode(policy: TestPolicy, request: DecodeRequest): DecodeResult {
  const prefix = [...(request.prefix ?? [])];
  const tokens: number[] = [];
  const logp: number[] = [];
  const stops = request.stopTokens ?? policy.limits.stopTokens;
  const { stopStrings = [], repetitionPenalty = 1 } = request;
  const endsWithString = () => stopStrings.some((text) => letters.decode(tokens).endsWith(text));
  const isStopped = () =>
    (tokens.length >= prefix.length && stops.includes(tokens.at(-1)!)) || (tokens.length > prefix.length && endsWithString());
  while (tokens.length < request.maxTokens && !isStopped()) {
    const before = [...request.prompt, ...tokens];
    const z = referenceLogits(policy, before).at(-1)!;
    const probs = softmax(z, request.temperature);
    const preferred = penalised(z, before, repetitionPenalty);
    const weights = softmax(preferred, request.temperature);
    const given = prefix[tokens.length];
    const token =
      given ??
      (request.greedy ? preferred.indexOf(Math.max(...preferred)) : draw(filtered(weights, request), uniform(request.key, tokens.length)));
    tokens.push(token);
    logp.push(Math.log(probs[token]!));
  }
  return { tokens: Int32Array.from(tokens), logp: Float64Array.from(logp), finish: isStopped() ? "stop" : "length" };
}

export const ids = (...tokens: number[]): Int32Array => Int32Array.from(tokens);

/** Prompts of several lengths. */
export const prompts = [ids(3), ids(1, 2, 3, 4, 5, 6), ids(7, 8), ids(9, 3, 1)];

/** A request for a few tokens behind one of them. */
export const request = (overrides: Partial<DecodeRequest> = {}): DecodeRequest => ({
  prompt: prompts[1]!,
  key: 5,
  maxTokens: 6,
  temperature: 1,
  ...overrides,
});
