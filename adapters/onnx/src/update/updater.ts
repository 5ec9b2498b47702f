import {
  type Batch,
  type BuiltObjective,
  DataError,
  EngineError,
  type FeedValue,
  type LossProgram,
  type OptimizerOptions,
  type PolicyOutput,
  type ScoreRow,
  type StepValues,
} from "@proximal/core";
import { scalar } from "../engine/feeds.js";
import { type GraphLibrary, numbersOf, type Prepared } from "../engine/library.js";
import type { WireTensor } from "../engine/protocol.js";
import { type EngineWorkers, OWNER, type Worker } from "../engine/workers.js";
import {
  applyGraph,
  cotangentGraph,
  cotangentName,
  type Differentiable,
  type Graph,
  gradientGraph,
  LOSS,
  observedName,
  type Policy,
  updateGraph,
} from "./graphs.js";
import { type GridMemory, gridKey, rowsOf } from "./grid.js";
import { collect, type Layout, layoutRows, spread } from "./layout.js";
import { type Linearisation, linearise } from "./linearise.js";
import { planMicroBatches } from "./microbatch.js";
import { INVERSE_TEMPERATURE } from "./network.js";
import { optimizerFeeds } from "./optimizer.js";
import { checkRows, type Scorer } from "./scorer.js";
import { severalGraph, stackFeeds } from "./several.js";

/** How an objective is executed. `auto`: fused, but linearised for a loss of batch span in several micro-batches. */
export type Execution = "auto" | "fused" | "linearised";

export interface UpdaterOptions {
  policy: Policy;
  optimizer: OptimizerOptions;
  execution: Execution;
  /** Tokens of a micro-batch, for these rows, when so many work at the same time. */
  microBatchTokens: (rows: readonly ScoreRow[], workers: number) => number;
  sharePrompts: boolean;
  grids: GridMemory;
}

export interface LossRequest {
  program: LossProgram;
  batch: Batch;
  stepValues: StepValues;
  temperature: number;
}

/** What a pass over the rows gives beside the gradients. */
export interface Outcome {
  loss: number;
  observed: Record<string, Float64Array>;
  /** Flat over response tokens. */
  logp: Float64Array;
}

export interface StepOutcome extends Outcome {
  /** Global L2 norm before clipping. */
  gradNorm: number;
}

/** Rows with the token ids that the policy sees, checked. */
function rowsOfBatch(batch: Batch): ScoreRow[] {
  if (batch.trajectories.length !== batch.rows) {
    throw new DataError("the batch holds numbers alone: a policy needs the tokens of its rows", {
      hint: "build it from trajectories (Batch.fromGroups)",
    });
  }
  const tokens = batch.has("tokens") ? batch.i32("tokens") : undefined;
  return batch.trajectories.map((trajectory, i) => ({
    prompt: trajectory.prompt.tokens,
    response: tokens === undefined ? trajectory.tokens : tokens.subarray(batch.offsets[i]!, batch.offsets[i + 1]!),
  }));
}

/** Runs updates: plans micro-batches, builds or reuses their graphs, feeds them and adds up what they report. */
export class Updater {
  private readonly programs = new WeakMap<LossProgram, number>();
  private programCount = 0;

  constructor(
    private readonly workers: EngineWorkers,
    private readonly library: GraphLibrary,
    private readonly scorer: Scorer,
    private readonly options: UpdaterOptions,
  ) {}

  /** One optimizer step, the `step`-th from 1. */
  async update(request: LossRequest, step: number, learningRate: number): Promise<StepOutcome> {
    const { policy, optimizer } = this.options;
    const feeds: Record<string, FeedValue> = {};
    for (const [name, value] of Object.entries(optimizerFeeds(optimizer, step, learningRate))) feeds[name] = scalar(value);
    const plan = this.plan("update", request);
    const [only, ...others] = plan.parts;
    if (plan.fused && others.length === 0) {
      const { outcome, results } = await this.objectiveRun({ role: "update", step: feeds }, request, only!);
      this.workers.changed();
      return { ...outcome, gradNorm: numbersOf(results.gradNorm!)[0]! };
    }
    const outcome = await this.accumulate("update", request, plan);
    const apply = this.library.prepare("apply", () => applyGraph(policy, optimizer));
    const { gradNorm } = await this.library.run(apply, { role: "apply", values: { ...feeds, [LOSS]: scalar(outcome.loss) } });
    this.workers.changed();
    return { ...outcome, gradNorm: numbersOf(gradNorm!)[0]! };
  }

  /**
   * Several optimizer steps in one run of one graph, the first of them the `step`-th from 1; undefined when they are not of
   * one kind: another objective, or rows that need several micro-batches.
   */
  async several(requests: readonly LossRequest[], step: number, learningRates: readonly number[]): Promise<StepOutcome[] | undefined> {
    const { policy, optimizer, execution, microBatchTokens, sharePrompts, grids } = this.options;
    const { program } = requests[0]!;
    const rows = requests.map(({ batch }) => rowsOfBatch(batch));
    for (const list of rows) checkRows(list, policy);
    const isOneGraph = rows.every((list) => planMicroBatches(list, { tokens: microBatchTokens(list, 1) }).length === 1);
    if (execution === "linearised" || !isOneGraph || requests.some((request) => request.program !== program)) return undefined;

    const layouts = layoutRows(rows, { sharePrompts, choose: (tight) => grids.choose("update", tight) });
    const { grid } = layouts[0]!;
    const prepared = this.library.prepare(["updates", this.programId(program), gridKey(grid)].join(" "), () => {
      const single = updateGraph(policy, program, grid, optimizer);
      return { ...severalGraph(single, new Set(policy.frozen?.map(({ name }) => name))), built: single.built };
    });
    const parts = layouts.map((layout, k): Part => ({ layout, rows: rows[k]!.map((_, i) => i) }));
    const updates = parts.map((part, k) => {
      const scalars = Object.entries(optimizerFeeds(optimizer, step + k, learningRates[k]!)).map(([name, value]) => [name, scalar(value)]);
      return { values: { ...feedsOf(prepared.graph.built, requests[k]!, part), ...Object.fromEntries(scalars) }, sizes: part.layout.sizes };
    });
    const stacked = stackFeeds(prepared.lowered.inputs, updates);
    if (stacked === undefined) return undefined;
    const results = await this.library.run(prepared, { role: "update", ...stacked });
    this.workers.changed();
    const of = (name: string, k: number): Float64Array => {
      const all = numbersOf(results[name]!);
      return all.slice((k * all.length) / requests.length, ((k + 1) * all.length) / requests.length);
    };
    return parts.map(({ layout, rows: indices }, k) => {
      const { batch } = requests[k]!;
      const logp = new Float64Array(batch.tokens);
      spread(of("logp", k).subarray(0, layout.sizes.responseTokens), layout, batch.offsets, indices, logp);
      const observed = Object.fromEntries(Object.keys(program.observations).map((name) => [name, of(observedName(name), k)]));
      return { loss: of(LOSS, k)[0]!, gradNorm: of("gradNorm", k)[0]!, observed, logp };
    });
  }

  /** Gradients of the named parameters, without a step. */
  async gradients(request: LossRequest, parameters: readonly string[]): Promise<Record<string, Float32Array>> {
    await this.accumulate("gradients", request, this.plan("gradients", request));
    const gradients = await this.workers.call("gradients", parameters);
    await this.workers.dropGradients();
    return gradients;
  }

  private plan(role: AccumulatingRole, { program, batch }: LossRequest): Plan {
    const { execution, microBatchTokens, sharePrompts, grids } = this.options;
    const rows = rowsOfBatch(batch);
    checkRows(rows, this.options.policy);
    const keepsGroups = program.span === "group" && execution !== "linearised";
    const inOne = planMicroBatches(rows, { tokens: microBatchTokens(rows, 1) }).length === 1;
    const mixesAll = program.span === "batch" && !inOne;
    if (mixesAll && execution === "fused") {
      throw new EngineError("this loss mixes rows of the whole batch, which does not fit one micro-batch", {
        given: "execution: fused",
        accepted: "auto, linearised",
        hint: "or raise microBatchTokens",
      });
    }
    const fused = execution === "fused" || (execution === "auto" && !mixesAll);
    // A loss of batch span is worth one graph, whoever else could work.
    const workers = fused && program.span === "batch" ? 1 : this.workers.size;
    const groups = keepsGroups ? batch.group : undefined;
    const microBatches = planMicroBatches(rows, { tokens: microBatchTokens(rows, workers), groups, workers });
    const layouts = layoutRows(
      microBatches.map((indices) => indices.map((i) => rows[i]!)),
      { sharePrompts, choose: (tight) => grids.choose(role, tight) },
    );
    const parts = layouts.map((layout, i) => ({ layout, rows: microBatches[i]! }));
    return { rows, parts, fused };
  }

  /** Adds the gradients of all micro-batches to the cleared accumulators. */
  private async accumulate(role: AccumulatingRole, request: LossRequest, plan: Plan): Promise<Outcome> {
    await this.workers.clearGradients();
    const total = plan.fused ? await this.summed(role, request, plan) : await this.linearised(role, request, plan);
    await this.workers.sumGradients(plan.parts.length);
    return total;
  }

  /** The objective over each micro-batch; what they report is added up. */
  private async summed(role: AccumulatingRole, request: LossRequest, { parts }: Plan): Promise<Outcome> {
    const total: Outcome = { loss: 0, observed: {}, logp: new Float64Array(request.batch.tokens) };
    const runs = await this.workers.share(parts, (part, worker) => this.objectiveRun({ role, worker }, request, part, total.logp), {
      fixed: true,
    });
    for (const { outcome } of runs) {
      total.loss += outcome.loss;
      for (const [name, values] of Object.entries(outcome.observed)) total.observed[name] = addValues(name, total.observed[name], values);
    }
    return total;
  }

  /** One graph with the objective in it, over some of the rows: a whole step with the given scalars, or the gradient alone. */
  private async objectiveRun(
    { role, step, worker = OWNER }: { role: AccumulatingRole; step?: Readonly<Record<string, FeedValue>>; worker?: Worker },
    request: LossRequest,
    { rows, layout }: Part,
    logp: Float64Array = new Float64Array(request.batch.tokens),
  ): Promise<{ outcome: Outcome; results: Record<string, WireTensor> }> {
    const { policy, optimizer } = this.options;
    const { program, batch } = request;
    const { grid } = layout;
    const prepared: Prepared<Graph & { built: BuiltObjective }> = this.library.prepare(
      [step === undefined ? "gradient" : "update", this.programId(program), gridKey(grid)].join(" "),
      () => (step === undefined ? gradientGraph(policy, program, grid) : updateGraph(policy, program, grid, optimizer)),
    );
    const values = { ...feedsOf(prepared.graph.built, request, { rows, layout }), ...step };
    const results = await this.library.run(prepared, { role, values, sizes: layout.sizes, worker });
    spread(numbersOf(results.logp!), layout, batch.offsets, rows, logp);
    const observed = Object.fromEntries(Object.keys(program.observations).map((name) => [name, numbersOf(results[observedName(name)]!)]));
    return { outcome: { loss: numbersOf(results[LOSS]!)[0]!, observed, logp }, results };
  }

  /** Policy outputs of all rows first, the loss and its cotangents from them alone, then backward by micro-batch. */
  private async linearised(role: AccumulatingRole, request: LossRequest, { rows, parts }: Plan): Promise<Outcome> {
    const { policy } = this.options;
    const { program, batch, stepValues, temperature } = request;
    if (program.outputs.has("logits")) {
      throw new EngineError("a loss that reads the logits of the whole vocabulary cannot be linearised", {
        hint: "raise engine.microBatchTokens until the batch fits one micro-batch, with execution auto or fused",
      });
    }
    const outputs = new Set<PolicyOutput>([...program.outputs, "logp"]);
    const scored = await this.scorer.score(rows, { outputs: [...outputs], temperature, topK: program.topK });
    const lengths = { V: policy.config.vocab_size, H: policy.config.hidden_size };
    const linear: Linearisation = linearise(program, batch, scored, stepValues, lengths);
    const differentiable = new Set(Object.keys(linear.cotangents) as Differentiable[]);
    if (differentiable.size > 0) {
      const backward = async ({ rows: indices, layout }: Part, worker: Worker) => {
        const key = ["cotangent", [...differentiable].join(), gridKey(layout.grid)].join(" ");
        const prepared = this.library.prepare(key, () => cotangentGraph(policy, differentiable, layout.grid));
        const values: Record<string, FeedValue> = { ...layout.feeds, [INVERSE_TEMPERATURE]: scalar(1 / temperature) };
        for (const name of differentiable) values[cotangentName(name)] = collect(linear.cotangents[name]!, layout, batch.offsets, indices);
        await this.library.run(prepared, { role, values, sizes: layout.sizes, worker });
      };
      await this.workers.share(parts, backward, { fixed: true });
    }
    return { loss: linear.loss, observed: linear.observed, logp: scored.logp! };
  }

  private programId(program: LossProgram): number {
    const known = this.programs.get(program);
    if (known !== undefined) return known;
    const id = this.programCount++;
    this.programs.set(program, id);
    return id;
  }
}

/** What the rows of one micro-batch are fed with. */
function feedsOf(built: BuiltObjective, request: LossRequest, { rows, layout }: Part): Record<string, FeedValue> {
  const { program, batch, stepValues, temperature } = request;
  const sizes = { B: rowsOf(layout.grid), T: layout.grid.responseSlots };
  const own = program.feeds(built, batch, rows, sizes, stepValues);
  return { ...layout.feeds, ...own, [INVERSE_TEMPERATURE]: scalar(1 / temperature) };
}

type AccumulatingRole = "update" | "gradients";

/** A micro-batch: indices of its rows, and where they lie. */
interface Part {
  rows: number[];
  layout: Layout;
}

interface Plan {
  rows: ScoreRow[];
  parts: Part[];
  fused: boolean;
}

function addValues(name: string, a: Float64Array | undefined, b: Float64Array): Float64Array {
  if (a === undefined) return b;
  if (a.length !== b.length) {
    throw new EngineError(`the observation ${name} has another shape in each micro-batch, so that it cannot be summed`, {
      hint: "give it an aggregation, or raise microBatchTokens",
    });
  }
  return a.map((value, i) => value + b[i]!);
}
