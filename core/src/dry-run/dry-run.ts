import { mean } from "../builtin/statistics.js";
import type { ResolvedConfig } from "../config/resolve.js";
import { UsageError } from "../errors.js";
import { ObjectiveProgram } from "../objective/index.js";
import { partsOf, TEACHER_COLUMN } from "../registry/columns.js";
import { loadAdapter } from "../registry/load.js";

import { type ResolveOptions, resolveConfig } from "../registry/resolve.js";
import { type CompositionWarning, compositionWarnings } from "../registry/warnings.js";
import { type Batch, lossMask, Random, type Trajectory } from "../rollout/index.js";
import { type HostServices, openRun, Run, type StepOutcome, TrainingJob, trainingStep } from "../trainer/index.js";
import { stepValuesOf } from "../trainer/services.js";
import { estimateRun, measureRates, type RunEstimate } from "./estimate.js";
import { ForcedAnswers } from "./forced.js";
import { Watch } from "./watch.js";

/** At most this many of each a step; the real run has what the config says. */
const CAPS = { groupSize: 4, promptsPerStep: 4, targetGroups: 4 } as const;
const MAX_TOKENS = 64;

export interface DryRunOptions extends ResolveOptions {
  /** Use the configured model instead of a tiny random one. */
  model?: boolean;
  /** Measure the machine for the estimate; default true. */
  measure?: boolean;
}

export interface DryRunReport {
  config: ResolvedConfig;
  warnings: readonly CompositionWarning[];
  /** What was made smaller, as `path=value`. */
  shrunk: readonly string[];
  model: string;
  /** Each named reward on accepted answers and on samples of the policy: least and greatest value. */
  rewards: readonly { name: string; answers: Range | null; samples: Range | null }[];
  /** Norm of the gradient of each term alone, at the second update. */
  terms: readonly { name: string; gradient: number }[];
  trainedRows: number;
  sampledRows: number;
  /** What nothing asked for, in words. */
  unread: { options: readonly string[]; columns: readonly string[]; fields: readonly string[] };
  example: ExampleRow;
  /** null where the engine cannot tell. */
  estimate: RunEstimate | null;
  /** What is wrong: a run like this would not learn what it is meant to. */
  problems: readonly string[];
}

/** A row as the update sees it. */
export interface ExampleRow {
  prompt: string;
  /** Text of each response token, special ones included, and whether it is trained on. */
  tokens: readonly { text: string; trained: boolean }[];
  /** The response ends with one of the tokenizer's stop tokens. */
  stopped: boolean;
  finish: Trajectory["finish"];
  advantage: number | null;
}

interface Range {
  low: number;
  high: number;
}

/** Stand-ins that no server has to answer for. */
const SERVICES: HostServices = {
  functions:
    () =>
    ({ completion }) =>
      (new Random(1).fork(completion).key() % 5) / 4,
  judge: async (requests) => requests.map(({ completion }) => (new Random(1).fork(completion).key() % 5) / 4),
  embed: async (texts) =>
    texts.map((text) => {
      const angle = new Random(1).fork(text).key();
      return [Math.cos(angle), Math.sin(angle)];
    }),
};

/** Two small steps of a run, watched. Errors: whatever a run of this config would stop with. */
export async function dryRun(
  source: string | object,
  { model = false, measure = true, set = [], ...resolving }: DryRunOptions = {},
): Promise<DryRunReport> {
  const config = resolveConfig(source, { ...resolving, set });
  if (config.sampler === undefined)
    throw new UsageError("a dry run needs a sampler: this config is for proximal sft alone", { file: config.file });
  const adapter = await loadAdapter(config.adapter);
  const { small, shrunk } = shrink(config, source, { ...resolving, set });
  const isTiny = !model && adapter.miniature !== undefined;
  const chosen: ResolvedConfig = isTiny
    ? {
        ...small,
        model: (await adapter.miniature!(config.model, "tiny")) as Record<string, unknown>,
        ...(config.teacher === undefined ? {} : { teacher: (await adapter.miniature!(config.teacher, "tiny")) as Record<string, unknown> }),
      }
    : small;
  const watch = new Watch();
  const run = watched(await openRun(chosen, SERVICES, { watch: watch.watchOptions }), watch);
  try {
    await new TrainingJob(run).prepare();
    const first = await trainingStep(run, 0);
    // The second step sees a policy that has moved: a penalty for moving is 0 before.
    const second = await trainingStep(run, 1);
    const { info } = run.policy;
    const partial = {
      config,
      warnings: compositionWarnings(config),
      shrunk,
      model: `${isTiny ? "a tiny random model of the same family: " : ""}${info.architecture}; ${info.parameters.toLocaleString("en")} parameters; ${info.engine}`,
      rewards: rewardRanges(run, [first, second]),
      terms: second.trained.rows === 0 ? [] : await termGradients(run, second.trained),
      trainedRows: first.trained.rows + second.trained.rows,
      sampledRows: first.sampled.rows + second.sampled.rows,
      unread: unreadOf(run, chosen, watch),
      example: exampleOf(run, first),
    };
    const promptTokens = mean(first.sampled.trajectories.map(({ prompt }) => prompt.tokens.length));
    const parameters = (await adapter.parameters?.(config.model)) ?? (model ? { all: info.parameters, trained: info.parameters } : null);
    const estimate =
      !measure || parameters === null || adapter.miniature === undefined
        ? null
        : estimateRun(config, parameters, workloadOf(run, config, promptTokens), await measureRates(config, adapter));
    return { ...partial, estimate, problems: problemsOf(partial) };
  } finally {
    await run.close();
  }
}

/** The config with as little of everything as shows that it works. */
function shrink(config: ResolvedConfig, source: string | object, options: ResolveOptions): { small: ResolvedConfig; shrunk: string[] } {
  const sampler = config.sampler!.options;
  const shrunk = [
    ...Object.entries(CAPS).flatMap(([name, cap]) =>
      typeof sampler[name] === "number" && sampler[name] > cap ? [`sampler.${name}=${cap}`] : [],
    ),
    ...(config.sampling.maxTokens > MAX_TOKENS ? [`sampling.maxTokens=${MAX_TOKENS}`] : []),
  ];
  return { small: resolveConfig(source, { ...options, set: [...(options.set ?? []), ...shrunk] }), shrunk };
}

/** The same run with its prompts, components and policy watched. */
function watched(run: Run, watch: Watch): Run {
  const forced = new ForcedAnswers();
  const train = new Proxy(run.data.train, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      const method = value as (...given: unknown[]) => unknown;
      if (key !== "get") return method.bind(target);
      return (index: number) => {
        const prompt = watch.watchPrompt(target.get(index));
        forced.know(prompt);
        return prompt;
      };
    },
  });
  return new Run({
    settings: run.settings,
    policy: forced.around(run.policy),
    teacher: run.teacher,
    composition: watch.watchComponents(run.composition),
    data: { ...run.data, train },
    dataColumns: run.dataColumns,
    services: SERVICES,
  });
}

const isAnswer = ({ text, prompt }: Trajectory): boolean => prompt.golds.includes(text.trim());

function rangeOf(values: readonly number[]): Range | null {
  const known = values.filter(Number.isFinite);
  return known.length === 0 ? null : { low: Math.min(...known), high: Math.max(...known) };
}

function rewardRanges(run: Run, steps: readonly StepOutcome[]): DryRunReport["rewards"] {
  const names = run.composition.rewards.map(({ id }) => id);
  return names.map((name, k) => {
    const values = (answers: boolean) =>
      steps.flatMap(({ sampled }) => {
        const components = sampled.f64("rewardComponents");
        return sampled.trajectories.flatMap((row, i) => (isAnswer(row) === answers ? [components[i * names.length + k]!] : []));
      });
    return { name, answers: rangeOf(values(true)), samples: rangeOf(values(false)) };
  });
}

async function termGradients(run: Run, batch: Batch): Promise<DryRunReport["terms"]> {
  const stepValues = stepValuesOf(run, 1, run.settings.optimizer.learningRate);
  const terms: { name: string; gradient: number }[] = [];
  for (const part of run.program.parts) {
    const program = new ObjectiveProgram([part], run.program.options);
    const request = { program, batch, stepValues, temperature: run.settings.sampling.temperature };
    const gradients = await run.policy.gradients(request);
    const squares = Object.values(gradients).map((values) => values.reduce((sum, g) => sum + g * g, 0));
    terms.push({ name: part.id, gradient: Math.sqrt(squares.reduce((a, b) => a + b, 0)) });
  }
  return terms;
}

function unreadOf(run: Run, config: ResolvedConfig, watch: Watch): DryRunReport["unread"] {
  const parts = partsOf(config);
  const options = parts.flatMap((part) =>
    Object.keys(part.options).flatMap((name) => (watch.options.has(`${part.path}.${name}`) ? [] : [`${part.path}.${name}`])),
  );
  const read = new Set([...watch.columns, ...run.program.columns]);
  const columns = Object.keys(config.data.columns).filter((name) => !read.has(name));
  const { prompt, answer, template = "" } = config.data;
  const texts = [prompt ?? "prompt", "question", answer ?? "answer", ...Object.values(config.data.columns)];
  const used = new Set([...texts, ...[...template.matchAll(/\{\{?\s*([\w.]+)/g)].map(([, name]) => name!), ...watch.fields]);
  const fields = Object.keys(run.data.train.get(0).fields).filter((name) => !used.has(name));
  return { options, columns, fields };
}

/** An accepted answer that was trained on, else any row. */
function exampleOf({ policy: { tokenizer } }: Run, { sampled, trained }: StepOutcome): ExampleRow {
  const place = Math.max(0, trained.trajectories.findIndex(isAnswer));
  const { prompt, tokens, finish, mask } = trained.trajectories[place] ?? sampled.trajectories[0]!;
  const counts = trained.rows > 0 ? lossMask(trained).subarray(trained.offsets[place], trained.offsets[place + 1]) : mask.map(() => 0);
  const text = (id: number) => tokenizer.decode([id], { skipSpecial: false });
  return {
    prompt: tokenizer.decode(prompt.tokens, { skipSpecial: false }),
    tokens: Array.from(tokens, (id, t) => ({ text: text(id), trained: counts[t] === 1 })),
    stopped: tokenizer.stopTokens.includes(tokens.at(-1) ?? -1),
    finish,
    advantage: trained.rows > 0 && trained.has("advantages") ? (trained.tokensOf("advantages", place)[0] ?? null) : null,
  };
}

function workloadOf(run: Run, config: ResolvedConfig, promptTokens: number) {
  const size = (name: string) => (typeof config.sampler?.options[name] === "number" ? (config.sampler.options[name] as number) : 1);
  const reads = new Set([...run.earlyColumns, ...run.columnsOnHost]);
  const computed =
    ["oldEntropy", "oldValues", "hidden", "candidateProbs"].some((name) => reads.has(name)) || config.trainer.recomputeOldLogp;
  const frozen = [reads.has("refLogp"), reads.has(TEACHER_COLUMN)].filter(Boolean).length;
  return {
    rows: size("groupSize") * Math.max(size("promptsPerStep"), size("targetGroups")),
    promptTokens,
    responseTokens: config.sampling.maxTokens,
    passes: frozen + Number(computed),
    copies: frozen,
  };
}

type Partial = Omit<DryRunReport, "estimate" | "problems">;

function problemsOf({ rewards, terms, trainedRows, config, unread }: Partial): string[] {
  const problems: string[] = [];
  for (const { name, answers, samples } of rewards) {
    const all = [answers, samples].filter((range) => range !== null);
    if (all.length === 0) problems.push(`reward "${name}" gave no value: it could verify none of the responses`);
    else if (answers !== null && all.every(({ low, high }) => low === all[0]!.low && high === all[0]!.low))
      problems.push(`reward "${name}" is ${all[0]!.low} for accepted answers and random text alike: does it expect another format?`);
  }
  if (trainedRows === 0) problems.push("no row was trained on: every one was unverifiable or taken out");
  for (const { name, gradient } of terms) {
    if (!Number.isFinite(gradient)) problems.push(`the gradient of "${name}" is not finite`);
    else if (gradient === 0) problems.push(`"${name}" did not move the gradient`);
  }
  for (const column of unread.columns)
    problems.push(`the column "${column}", filled from the field "${config.data.columns[column]}", was not read by any component`);
  return problems;
}
