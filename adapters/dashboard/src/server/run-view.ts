import { statSync } from "node:fs";
import { join } from "node:path";
import {
  describeRun,
  ProximalError,
  type RolloutRow,
  type RunReader,
  readRun,
  resolveConfig,
  rewardShares,
  rewardWeights,
  warningsOf,
} from "@proximal/core";
import type { MetricsPage, RowTokens, RunDetails, RunEntry, StepRelation, StepSamples } from "../web/api.js";
import { MetricsFile } from "./metrics-file.js";
import { relationOf, samplesView, tokensView } from "./rollout-view.js";

/** Steps whose rollouts are kept in memory, and steps of the relation of length and reward. */
const KEPT_STEPS = 4;
const RELATION_STEPS = 24;
/** Most events that the page is told. */
const EVENTS = 100;
/** A run that changed no file for so long, milliseconds, is taken for stopped. */
const QUIET = 120_000;

interface Config {
  name?: string;
  algorithm?: string;
  seed?: number;
  trainer?: { steps?: number };
  sft?: { steps?: number };
}

/** One run folder as the page sees it. Nothing is ever written to it. */
export class RunView {
  private readonly reader: RunReader;
  private readonly metricsFile: MetricsFile;
  private readonly config: Config;
  private readonly cached = new Map<string, Promise<readonly RolloutRow[]>>();
  private readonly relations = new Map<string, StepRelation>();
  private description: string[] | undefined;

  /** `UsageError` for a folder that holds no run. */
  constructor(
    readonly id: string,
    readonly path: string,
    private readonly started: number,
  ) {
    this.reader = readRun(path);
    this.metricsFile = new MetricsFile(join(path, "metrics.jsonl"));
    this.config = this.reader.config as Config;
  }

  entry(): RunEntry {
    const records = this.metricsFile.all();
    const { kind } = this.reader.origin;
    const newest = (name: string) => records.findLast((record) => typeof record[name] === "number")?.[name] ?? null;
    const updated = this.updated;
    const status = this.reader.finished ? "finished" : Date.now() - updated < QUIET ? "running" : "stopped";
    return {
      id: this.id,
      name: this.config.name ?? this.id,
      kind,
      algorithm: this.config.algorithm ?? null,
      seed: this.config.seed ?? null,
      status,
      steps: records.at(-1)?.step ?? records.length,
      planned: (kind === "sft" ? this.config.sft?.steps : this.config.trainer?.steps) ?? null,
      reward: newest("reward"),
      accuracy: newest("eval.accuracy") ?? newest("evalStart.accuracy"),
      started: this.started,
      updated,
      generation: this.metricsFile.generation,
    };
  }

  private get updated(): number {
    const times = ["metrics.jsonl", "summary.json", "run.json", "checkpoints"].map(
      (name) => statSync(join(this.path, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    );
    return Math.max(...times);
  }

  metrics(from: number, generation: string): MetricsPage {
    return this.metricsFile.page(from, generation);
  }

  details(): RunDetails {
    const records = this.metricsFile.all();
    const weights = rewardWeights(this.config);
    this.description ??= this.describe();
    return {
      config: this.config,
      description: this.description,
      warnings: warningsOf(records, weights),
      shares: rewardShares(records, weights),
      events: this.reader.events().slice(-EVENTS).reverse(),
      steps: this.reader.steps(),
    };
  }

  /** What the run's parts say of themselves; nothing where its plugins are not installed here. */
  private describe(): string[] {
    try {
      const { folder: cwd } = this.reader.origin;
      return describeRun(resolveConfig(this.config as object, { cwd, packages: [process.cwd()] }));
    } catch (error) {
      if (error instanceof ProximalError) return [];
      throw error;
    }
  }

  async samples(step: number): Promise<StepSamples> {
    return samplesView(step, await this.rollouts(step));
  }

  async tokens(step: number, group: number): Promise<RowTokens[]> {
    return tokensView(await this.rollouts(step), group);
  }

  /** Over steps that are spread evenly over the run. */
  async relate(): Promise<StepRelation[]> {
    const steps = this.reader.steps();
    const count = Math.min(RELATION_STEPS, steps.length);
    const chosen = new Set(Array.from({ length: count }, (_, i) => steps[Math.round((i * (steps.length - 1)) / Math.max(1, count - 1))]!));
    const result: StepRelation[] = [];
    for (const step of chosen) {
      const key = this.keyOf(step);
      const known = this.relations.get(key) ?? relationOf(step, await this.reader.rollouts(step));
      this.relations.set(key, known);
      result.push(known);
    }
    return result;
  }

  private keyOf(step: number): string {
    return `${this.metricsFile.generation}/${step}`;
  }

  private rollouts(step: number): Promise<readonly RolloutRow[]> {
    const key = this.keyOf(step);
    const known = this.cached.get(key);
    if (known !== undefined) return known;
    const rows = this.reader.rollouts(step);
    this.cached.set(key, rows);
    rows.catch(() => this.cached.delete(key));
    for (const old of [...this.cached.keys()].slice(0, -KEPT_STEPS)) this.cached.delete(old);
    return rows;
  }
}
