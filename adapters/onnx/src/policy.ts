import {
  type DecodeOptions,
  type DecodeRequest,
  type DecodeResult,
  EngineError,
  type ExportOptions,
  elementCount,
  type OptimizerOptions,
  type PolicyBackend,
  type PolicyInfo,
  type ScoreOptions,
  type ScoreResult,
  type ScoreRow,
  type Tokenizer,
  type UpdateRequest,
  type UpdateResult,
} from "@proximal/core";
import { GraphLibrary } from "./engine/library.js";
import { type EngineClient, EngineWorkers, type Worker } from "./engine/workers.js";
import {
  checkRequests,
  type DecodeLimits,
  decodeGraph,
  extendGraph,
  Homes,
  packChecked,
  piecesOf,
  positionsFor,
  prefillGraph,
  rowsThatFit,
  StopStrings,
  unpackResults,
} from "./generation/index.js";
import { type LoraOptions, type ParameterSpec, parameterTables, type TransformerConfig } from "./model/index.js";
import { type EngineSection, updatesPerRun } from "./schemas.js";
import { specialTokens, suggestedSampling, type TokenizerFiles, writeTokenizerFiles } from "./tokenizer.js";
import type { Policy } from "./update/graphs.js";
import { GridMemory } from "./update/grid.js";
import { defaultMicroBatchTokens } from "./update/microbatch.js";
import { Scorer } from "./update/scorer.js";
import { type StepOutcome, Updater } from "./update/updater.js";

export interface OnnxPolicyParts {
  config: TransformerConfig;
  valueHead: boolean;
  lora?: LoraOptions;
  tokenizer: Tokenizer;
  /** What the tokenizer was made of, for exports. */
  tokenizerFiles: TokenizerFiles;
  optimizer: OptimizerOptions;
  engine: EngineSection;
  /** Runtime and device in words. */
  engineName: string;
  /** The engine that owns the training state, and others that share its work. */
  clients: readonly [EngineClient, ...EngineClient[]];
  /** Rows with equal prompts share the prompt's computation; default true. */
  sharePrompts?: boolean;
}

/** A transformer whose parameters and optimizer live in an ONNX Runtime engine. */
export class OnnxPolicy implements PolicyBackend {
  readonly info: PolicyInfo;
  readonly tokenizer: Tokenizer;
  readonly updatesPerRun: number;
  private readonly workers: EngineWorkers;
  private readonly library: GraphLibrary;
  private readonly policy: Policy;
  private readonly updater: Updater;
  private readonly scorer: Scorer;
  private readonly grids = new GridMemory();
  private steps = 0;
  /** Positions that the graphs of decoding provide for; it only grows, so that long prompts among short ones change no graph. */
  private positions = 0;
  private readonly homes = new Homes();
  /** The end of the call before. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(private readonly parts: OnnxPolicyParts) {
    const { config, lora, tokenizer, optimizer, engine, engineName, clients, sharePrompts = true } = parts;
    const { trained: table, frozen } = parameterTables(config, parts);
    const size = (specs: readonly ParameterSpec[]) => specs.reduce((n, { shape }) => n + elementCount(shape), 0);
    this.tokenizer = tokenizer;
    this.updatesPerRun = updatesPerRun(engine);
    this.workers = new EngineWorkers(clients);
    this.policy = { config, table, frozen, lora, recompute: engine.recompute === "layer", operators: engine.provider !== "webgpu" };
    this.info = {
      architecture: `${config.model_type}, ${config.num_hidden_layers} layers of ${config.hidden_size}${lora === undefined ? "" : `, LoRA of rank ${lora.rank}: ${size(table).toLocaleString("en")} parameters trained`}`,
      parameters: size(table) + size(frozen),
      vocabularySize: config.vocab_size,
      hiddenSize: config.hidden_size,
      contextLength: config.max_position_embeddings,
      engine: engineName,
      suggestedSampling: suggestedSampling(parts.tokenizerFiles),
    };
    this.library = new GraphLibrary(this.workers, engine.provider);
    const { recompute } = this.policy;
    const microBatchTokens = (rows: readonly ScoreRow[], workers: number): number =>
      engine.microBatchTokens === "auto"
        ? defaultMicroBatchTokens(config, rows, { recompute, workers })
        : Math.ceil(engine.microBatchTokens / workers);
    const shared = { policy: this.policy, microBatchTokens, sharePrompts, grids: this.grids };
    this.scorer = new Scorer(this.workers, this.library, shared);
    this.updater = new Updater(this.workers, this.library, this.scorer, { ...shared, optimizer, execution: engine.execution });
  }

  /** One call after the other. */
  private serial<T>(act: () => Promise<T>): Promise<T> {
    const result = this.last.then(act);
    this.last = result.catch(() => undefined);
    return result;
  }

  decode(requests: readonly DecodeRequest[], options: DecodeOptions = {}): Promise<DecodeResult[]> {
    return this.serial(async () => {
      if (requests.length === 0) return [];
      checkRequests(requests, this.limits);
      this.positions = Math.max(this.positions, positionsFor(requests, this.info.contextLength));
      const results = new Array<DecodeResult>(requests.length);
      const shares = { workers: this.workers.size, rows: this.parts.engine.decodeRows };
      const pieces = options.keep === undefined ? piecesOf(requests, shares) : this.homes.piecesOf(requests, options.keep, shares);
      const act = async (indices: readonly number[], worker: Worker) => {
        const own = indices.map((i) => requests[i]!);
        for (const [k, result] of (await this.decodePiece(own, worker, options)).entries()) results[indices[k]!] = result;
      };
      await this.workers.share(pieces, act, { fixed: options.keep !== undefined });
      return results;
    });
  }

  private get limits(): DecodeLimits {
    const { vocabularySize, contextLength } = this.info;
    return { vocabularySize, contextLength, stopTokens: this.tokenizer.stopTokens };
  }

  private async decodePiece(
    requests: readonly DecodeRequest[],
    worker: Worker,
    { keep, last = false }: DecodeOptions,
  ): Promise<DecodeResult[]> {
    if (requests.length === 0) return [];
    const { config, lora, engine, tokenizer } = this.parts;
    const { positions } = this;
    const job = packChecked(requests, this.limits);
    const { prefixes, variant } = job;
    const profile = engine.provider;
    const graphs = {
      prefill: this.library.reference(worker, `prefill ${prefixes} ${positions}`, () =>
        prefillGraph(config, { prefixes, positions, lora, profile }),
      ),
      extend: this.library.reference(worker, `extend ${positions}`, () => extendGraph(config, { positions, lora, profile })),
      decode: this.library.reference(worker, `decode ${JSON.stringify(variant)} ${positions}`, () =>
        decodeGraph(config, variant, { positions, lora, profile }),
      ),
    };
    const { alone } = worker;
    const maxRows = Math.min(engine.decodeRows, Math.ceil(rowsThatFit(config, job) / (alone ? 1 : this.workers.size)));
    const stops = new StopStrings(requests, tokenizer);
    let step = await this.workers.callAt(worker, "decode", { job, graphs, maxRows, alone, positions, keep, last });
    while ("progress" in step) step = await this.workers.callAt(worker, "decodeFurther", stops.endings(step.progress));
    return unpackResults(step.outcome);
  }

  score(rows: readonly ScoreRow[], options: ScoreOptions): Promise<ScoreResult> {
    return this.serial(() => this.scorer.score(rows, options));
  }

  update(request: UpdateRequest): Promise<UpdateResult> {
    return this.serial(async () => this.counted(await this.updater.update(request, this.steps + 1, request.learningRate)));
  }

  updateAll(requests: readonly UpdateRequest[]): Promise<UpdateResult[]> {
    return this.serial(async () => {
      const rates = requests.map(({ learningRate }) => learningRate);
      const together = requests.length > 1 ? await this.updater.several(requests, this.steps + 1, rates) : undefined;
      if (together !== undefined) return together.map((outcome) => this.counted(outcome));
      const results: UpdateResult[] = [];
      for (const request of requests) results.push(this.counted(await this.updater.update(request, this.steps + 1, request.learningRate)));
      return results;
    });
  }

  /** Counts the step unless it was skipped. */
  private counted(outcome: StepOutcome): UpdateResult {
    const skipped = !Number.isFinite(outcome.loss) || !Number.isFinite(outcome.gradNorm);
    if (!skipped) this.steps++;
    return { ...outcome, skipped };
  }

  gradients(request: Omit<UpdateRequest, "learningRate">, parameters?: readonly string[]): Promise<Record<string, Float32Array>> {
    const names = this.policy.table.map(({ name }) => name);
    const unknown = parameters?.find((name) => !names.includes(name));
    if (unknown !== undefined) return Promise.reject(new EngineError(`the policy trains no parameter "${unknown}"`, { accepted: names }));
    return this.serial(() => this.updater.gradients(request, parameters ?? names));
  }

  snapshot(name: string): Promise<void> {
    return this.serial(() => this.workers.snapshot(name));
  }

  fingerprint(): Promise<number> {
    return this.serial(() => this.workers.call("fingerprint"));
  }

  save(folder: string): Promise<void> {
    return this.serial(() => this.workers.call("save", folder, { step: this.steps, grids: this.grids.grids }));
  }

  restore(folder: string): Promise<void> {
    return this.serial(async () => {
      const { step, grids } = await this.workers.restore(folder);
      this.steps = step;
      this.grids.grids = grids;
    });
  }

  export(folder: string, { format = "huggingface" }: ExportOptions = {}): Promise<void> {
    return this.serial(async () => {
      const { tokenizer, tokenizerFiles } = this.parts;
      const tokens = specialTokens(tokenizer, tokenizerFiles);
      await this.workers.call("export", folder, { format, tokens });
      writeTokenizerFiles(folder, tokenizerFiles, tokens);
    });
  }

  close(): Promise<void> {
    return this.serial(() => this.workers.close());
  }
}
