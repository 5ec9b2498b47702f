import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../errors.js";
import { Random } from "../rollout/index.js";
import { type Expr, evaluate, gradient, input, iota, type TensorValue } from "../tensor/index.js";
import type {
  DecodeRequest,
  DecodeResult,
  ExportOptions,
  OptimizerOptions,
  PolicyBackend,
  PolicyInfo,
  ScoreOptions,
  ScoreResult,
  ScoreRow,
  UpdateRequest,
  UpdateResult,
} from "./backend.js";
import { CharTokenizer } from "./char-tokenizer.js";
import type { PolicyLeaves } from "./loss.js";
import { StopWatcher } from "./stop-strings.js";
import type { Tokenizer } from "./tokenizer.js";

/** Logits [V] and, last, the value of the state; their first and second moments. */
interface Cell {
  parameters: Float64Array;
  m: Float64Array;
  v: Float64Array;
}

const OPTIMIZER: OptimizerOptions = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, maxGradNorm: 1 };

export interface TabularPolicyOptions {
  tokenizer?: Tokenizer;
  optimizer?: Partial<OptimizerOptions>;
  contextLength?: number;
  /**
   * Standard deviation of the logits that a row of the table starts with; 0: all tokens are equally likely. They follow from
   * `seed`, prompt and position alone.
   */
  spread?: number;
  seed?: number;
}

const DEFAULT_TOP_K = 4;
/** Added to all entries of the hidden state at position t, times t + 1. */
const POSITION = 0.01;

/**
 * A policy without a network: one row of logits and a value for each (prompt, position), value 0 at first. The logits stand for
 * the hidden state, with a little more at later positions: a fresh state is neither zero nor the same everywhere.
 * It runs objectives through the float64 evaluator, so that methods and everything around the engine are tried without one.
 */
export class TabularPolicy implements PolicyBackend {
  readonly tokenizer: Tokenizer;
  readonly info: PolicyInfo;
  private table = new Map<string, Cell>();
  private readonly snapshots = new Map<string, Map<string, Cell>>();
  private updates = 0;
  private readonly optimizer: OptimizerOptions;
  private readonly spread: number;
  private readonly start: Random;
  /** Requests that were decoded so far. */
  decoded = 0;
  closed = false;

  constructor({ tokenizer = new CharTokenizer(), optimizer = {}, contextLength = 64, spread = 0, seed = 1 }: TabularPolicyOptions = {}) {
    this.tokenizer = tokenizer;
    this.spread = spread;
    this.start = new Random(seed);
    this.optimizer = { ...OPTIMIZER, ...optimizer };
    const { vocabularySize } = tokenizer;
    this.info = {
      architecture: "table",
      parameters: 0,
      vocabularySize,
      hiddenSize: tokenizer.vocabularySize,
      contextLength,
      engine: "evaluator",
    };
  }

  private cell(prompt: Int32Array, position: number, table = this.table): Cell {
    const key = `${prompt.join(",")}@${position}`;
    const known = table.get(key);
    if (known !== undefined) return known;
    const size = this.info.vocabularySize + 1;
    const fresh: Cell = { parameters: new Float64Array(size), m: new Float64Array(size), v: new Float64Array(size) };
    if (this.spread > 0) {
      const noise = this.start.fork("logits", key);
      for (let token = 0; token < size - 1; token++) fresh.parameters[token] = this.spread * noise.normal();
    }
    table.set(key, fresh);
    return fresh;
  }

  /** [V] log-probabilities. */
  private logProbs(prompt: Int32Array, position: number, temperature: number, table?: Map<string, Cell>): Float64Array {
    const logits = this.cell(prompt, position, table).parameters.subarray(0, -1);
    const scaled = logits.map((x) => x / temperature);
    const peak = Math.max(...scaled);
    const logSum = peak + Math.log(scaled.reduce((sum, x) => sum + Math.exp(x - peak), 0));
    return scaled.map((x) => x - logSum);
  }

  async decode(requests: readonly DecodeRequest[]): Promise<DecodeResult[]> {
    this.decoded += requests.length;
    return requests.map((request) => this.decodeOne(request));
  }

  private decodeOne(request: DecodeRequest): DecodeResult {
    const { prompt, prefix = new Int32Array(), key, maxTokens, temperature, greedy = false } = request;
    const stops = request.stopTokens ?? this.tokenizer.stopTokens;
    const watcher = new StopWatcher(this.tokenizer, request.stopStrings ?? [], prefix);
    const tokens = [...prefix];
    const logp = tokens.map((token, t) => this.logProbs(prompt, t, temperature)[token]!);
    while (tokens.length < maxTokens) {
      const t = tokens.length;
      const row = this.logProbs(prompt, t, temperature);
      const token = greedy ? row.indexOf(Math.max(...row)) : new Random(key).fork(t).weighted(row.map(Math.exp));
      tokens.push(token);
      logp.push(row[token]!);
      if (watcher.push(token) || stops.includes(token))
        return { tokens: Int32Array.from(tokens), logp: Float64Array.from(logp), finish: "stop" };
    }
    return { tokens: Int32Array.from(tokens), logp: Float64Array.from(logp), finish: "length" };
  }

  async score(rows: readonly ScoreRow[], { outputs, temperature, topK = DEFAULT_TOP_K, snapshot }: ScoreOptions): Promise<ScoreResult> {
    const table = snapshot === undefined ? this.table : this.snapshots.get(snapshot);
    if (table === undefined) throw new EngineError(`there is no snapshot "${snapshot}"`);
    const perToken = rows.flatMap(({ prompt, response }) =>
      Array.from(response, (token, t) => {
        const row = this.logProbs(prompt, t, temperature, table);
        const order = [...row.keys()].sort((a, b) => row[b]! - row[a]! || a - b).slice(0, topK);
        return { token, t, row, order, parameters: this.cell(prompt, t, table).parameters };
      }),
    );
    const all: Required<ScoreResult> = {
      logp: Float64Array.from(perToken, ({ token, row }) => row[token]!),
      entropy: Float64Array.from(perToken, ({ row }) => -row.reduce((sum, x) => sum + Math.exp(x) * x, 0)),
      values: Float64Array.from(perToken, ({ parameters }) => parameters.at(-1)!),
      hidden: Float64Array.from(
        perToken.flatMap(({ t, parameters }) => [...parameters.subarray(0, -1).map((x) => x + POSITION * (t + 1))]),
      ),
      candidateProbs: Float64Array.from(perToken.flatMap(({ row, order }) => order.map((id) => Math.exp(row[id]!)))),
      candidateTokens: Int32Array.from(perToken.flatMap(({ order }) => order)),
    };
    const names = outputs.flatMap((name) =>
      name === "topK" ? (["candidateProbs", "candidateTokens"] as const) : [name as keyof ScoreResult],
    );
    return Object.fromEntries(names.map((name) => [name, all[name]]));
  }

  async update(request: UpdateRequest): Promise<UpdateResult> {
    const { loss, observed, logp, gradients } = this.differentiate(request);
    const gradNorm = Math.sqrt([...gradients.values()].reduce((sum, g) => sum + g.reduce((s, x) => s + x * x, 0), 0));
    const skipped = !Number.isFinite(loss) || !Number.isFinite(gradNorm);
    if (!skipped) this.step(gradients, gradNorm, request.learningRate);
    return { loss, gradNorm, skipped, observed, logp };
  }

  async gradients(request: Omit<UpdateRequest, "learningRate">): Promise<Record<string, Float32Array>> {
    const { gradients } = this.differentiate(request);
    return Object.fromEntries([...gradients].map(([name, g]) => [name, Float32Array.from(g)]));
  }

  private differentiate({ program, batch, stepValues, temperature }: Omit<UpdateRequest, "learningRate">) {
    const B = batch.rows;
    const T = Math.max(1, ...batch.lengths);
    const V = this.info.vocabularySize;
    const logits = input("logits", [B, T, V]);
    const tokens = input("tokens", [B, T], "int");
    const all = logits.mul(1 / temperature).logSoftmax(-1);
    const logp = all.gatherElements(tokens.expandDims(-1), -1).squeeze(-1);
    const K = Math.min(program.topK ?? DEFAULT_TOP_K, V);
    const values = input("values", [B, T]);
    const leaves: PolicyLeaves = {
      logp: () => logp,
      entropy: () => all.exp().mul(all).sum(-1).neg(),
      logits: () => logits,
      values: () => values,
      hidden: () => logits.add(iota(T).cast("float").add(1).mul(POSITION).expandDims(-1)),
      topK: () => {
        const top = all.topK(K);
        return { probs: top.values.exp(), tokens: top.indices };
      },
    };
    const built = program.build({ B, T, V, H: V, K }, leaves);
    const feeds: Record<string, TensorValue> = {
      logits: { shape: [B, T, V], data: new Float64Array(B * T * V) },
      values: { shape: [B, T], data: new Float64Array(B * T) },
      tokens: { shape: [B, T], data: new Int32Array(B * T) },
      ...(program.feeds(
        built,
        batch,
        Array.from({ length: B }, (_, row) => row),
        { B, T },
        stepValues,
      ) as Record<string, TensorValue>),
    };
    const cells: { key: string; at: number }[] = [];
    for (let row = 0; row < B; row++) {
      const { prompt } = batch.trajectories[row]!;
      batch.tokensOf("tokens", row).forEach((token, t) => {
        (feeds.tokens!.data as Int32Array)[row * T + t] = token;
        const { parameters } = this.cell(prompt.tokens, t);
        (feeds.logits!.data as Float64Array).set(parameters.subarray(0, V), (row * T + t) * V);
        (feeds.values!.data as Float64Array)[row * T + t] = parameters[V]!;
        cells.push({ key: `${prompt.tokens.join(",")}@${t}`, at: row * T + t });
      });
    }
    const names = Object.keys(built.observed);
    const wanted: Expr[] = [built.loss, ...gradient(built.loss, [logits, values]), logp, ...names.map((name) => built.observed[name]!)];
    const [loss, logitGradient, valueGradient, seen, ...observations] = evaluate(wanted, feeds).map(({ data }) => Float64Array.from(data));
    const gradients = new Map<string, Float64Array>();
    for (const { key, at } of cells) {
      const sum = gradients.get(key) ?? new Float64Array(V + 1);
      for (let v = 0; v < V; v++) sum[v]! += logitGradient![at * V + v]!;
      sum[V]! += valueGradient![at]!;
      gradients.set(key, sum);
    }
    return {
      loss: loss![0]!,
      observed: Object.fromEntries(names.map((name, i) => [name, observations[i]!])),
      logp: Float64Array.from(cells, ({ at }) => seen![at]!),
      gradients,
    };
  }

  /** AdamW on the rows that have a gradient. */
  private step(gradients: ReadonlyMap<string, Float64Array>, norm: number, learningRate: number): void {
    const { beta1, beta2, epsilon, weightDecay, maxGradNorm } = this.optimizer;
    const scale = maxGradNorm !== null && norm > maxGradNorm ? maxGradNorm / norm : 1;
    this.updates++;
    for (const [key, g] of gradients) {
      const { parameters, m, v } = this.table.get(key)!;
      for (let i = 0; i < g.length; i++) {
        m[i] = beta1 * m[i]! + (1 - beta1) * scale * g[i]!;
        v[i] = beta2 * v[i]! + (1 - beta2) * (scale * g[i]!) ** 2;
        const mean = m[i]! / (1 - beta1 ** this.updates);
        const variance = v[i]! / (1 - beta2 ** this.updates);
        parameters[i]! -= learningRate * (mean / (Math.sqrt(variance) + epsilon) + weightDecay * parameters[i]!);
      }
    }
  }

  async snapshot(name: string): Promise<void> {
    this.snapshots.set(name, structuredClone(this.table));
  }

  async save(folder: string): Promise<void> {
    const plain = (table: Map<string, Cell>) =>
      [...table].map(([key, { parameters, m, v }]) => [key, { parameters: [...parameters], m: [...m], v: [...v] }] as const);
    const state = { updates: this.updates, table: plain(this.table), snapshots: [...this.snapshots].map(([name, t]) => [name, plain(t)]) };
    await writeFile(join(folder, "table.json"), JSON.stringify(state));
  }

  async restore(folder: string): Promise<void> {
    type Plain = [string, { parameters: number[]; m: number[]; v: number[] }][];
    const state = JSON.parse(await readFile(join(folder, "table.json"), "utf8")) as {
      updates: number;
      table: Plain;
      snapshots: [string, Plain][];
    };
    const cells = (plain: Plain) =>
      new Map(
        plain.map(([key, { parameters, m, v }]) => [
          key,
          { parameters: Float64Array.from(parameters), m: Float64Array.from(m), v: Float64Array.from(v) },
        ]),
      );
    this.updates = state.updates;
    this.table = cells(state.table);
    this.snapshots.clear();
    for (const [name, plain] of state.snapshots) this.snapshots.set(name, cells(plain));
  }

  async export(folder: string, { format = "huggingface" }: ExportOptions = {}): Promise<void> {
    if (format === "onnx") throw new EngineError("a table of logits has no ONNX form", { given: format, accepted: "huggingface" });
    await this.save(folder);
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
