import { dirname, resolve } from "node:path";
import type { ResolvedConfig } from "../config/resolve.js";
import { type DataFacts, loadDataSets } from "../data/index.js";
import { UsageError } from "../errors.js";
import { type Exporter, NO_RUN, type RunOutcome, type ServiceName } from "../extension/index.js";
import type { PolicyBackend } from "../policy/index.js";
import { buildComposition, buildExporters, checkSecrets, openPolicy, openTeacher, runFactsOf } from "../registry/build.js";
import { type CompositionOptions, checkComposition } from "../registry/check.js";
import { partsOf, referenceOf } from "../registry/columns.js";
import { describeRun } from "../registry/describe.js";
import type { Placed } from "../registry/placed.js";
import { resolveConfig } from "../registry/resolve.js";
import { checkTrainingSampling } from "../registry/sampling.js";
import type { RunObserver } from "./events.js";
import { Exports } from "./exports.js";
import type { Job } from "./job.js";
import { runLoop } from "./loop.js";
import { withRecordedModel } from "./recorded-model.js";
import { Run } from "./run.js";
import { type HostServices, hostServices, type RewardFunctions } from "./services.js";
import { SftJob } from "./sft-job.js";
import { RunFolder, type RunKind } from "./store/index.js";
import type { RunSummary } from "./summary.js";
import { TrainingJob } from "./training-job.js";

export interface SessionOptions {
  onEvent?: RunObserver;
  /** When it is aborted, the current step is finished and saved. */
  signal?: AbortSignal;
  services?: HostServices;
  /** Functions that the config's rewards name: `rewards: [{ use: function, function: NAME }]`. */
  rewards?: RewardFunctions;
}

export interface StartOptions extends SessionOptions {
  /** Run folder; the config's `output` by default. */
  output?: string;
  /** Replace a run that the folder holds. */
  overwrite?: boolean;
}

/** Trains as the config says. null when a stop was asked for before the end. */
export const train = (config: ResolvedConfig, options: StartOptions = {}): Promise<RunSummary | null> => start("train", config, options);

/** Supervised training on the prompts and answers of the config's data. */
export const sft = (config: ResolvedConfig, options: StartOptions = {}): Promise<RunSummary | null> => start("sft", config, options);

/** Continues a run from its newest whole checkpoint: what it then writes is what it would have written without the break. */
export async function resume(path: string, options: SessionOptions = {}): Promise<RunSummary | null> {
  const folder = RunFolder.open(path);
  if (folder.finished) throw new UsageError("the run is finished: there is nothing to continue", { file: path });
  const config = resolveConfig(resolve(path, "config.json"), { cwd: folder.origin.folder, packages: [process.cwd()] });
  const exporters = await exportersOf(config);
  const { job, close } = await withRecordedModel(path, () => openJob(folder.origin.kind, config, options));
  try {
    return await followed(exporters, folder, options.onEvent, (onEvent) =>
      runLoop(job, { folder, resume: true, description: describeRun(config), ...options, onEvent }),
    );
  } finally {
    await close();
  }
}

const exportersOf = (config: ResolvedConfig) => buildExporters(config, runFactsOf(config, NO_RUN));

/** Runs with exporters beside it: whatever becomes of them, the run's outcome is its own. */
async function followed(
  exporters: readonly Placed<Exporter>[],
  folder: RunFolder,
  tell: RunObserver = () => {},
  run: (onEvent: RunObserver) => Promise<RunSummary | null>,
): Promise<RunSummary | null> {
  const config = folder.config as Record<string, unknown> & { name?: string };
  const { kind } = folder.origin;
  const exports = new Exports(exporters, { name: config.name ?? "run", kind, config }, folder.path, (message) =>
    tell({ type: "warning", message }),
  );
  let outcome: RunOutcome = "failed";
  try {
    const summary = await run((event) => {
      exports.observe(event);
      tell(event);
    });
    outcome = summary === null ? "stopped" : "finished";
    return summary;
  } finally {
    await exports.close(outcome);
  }
}

async function start(kind: RunKind, config: ResolvedConfig, { output = config.output, overwrite, ...options }: StartOptions) {
  RunFolder.check(output, { overwrite });
  const exporters = await exportersOf(config);
  const { job, close } = await openJob(kind, config, options);
  try {
    const description = describeRun({ ...config, output });
    const folder = RunFolder.create(output, { kind, config: { ...config.config, output }, folder: homeOf(config) }, { overwrite });
    return await followed(exporters, folder, options.onEvent, (onEvent) => runLoop(job, { folder, description, ...options, onEvent }));
  } finally {
    await close();
  }
}

/** Where the plugins of a config are looked for. */
const homeOf = ({ file }: ResolvedConfig): string => (file === undefined ? process.cwd() : dirname(resolve(file)));

async function openJob(kind: RunKind, config: ResolvedConfig, options: SessionOptions): Promise<{ job: Job; close(): Promise<void> }> {
  if (kind === "train") {
    checkTrainingSampling(config);
    const run = await openRun(config, hostServices(options));
    return { job: new TrainingJob(run), close: () => run.close() };
  }
  if (config.sft === undefined) {
    throw new UsageError("the config has no section `sft`", { file: config.file, hint: "add `sft: { steps: …, batchSize: … }`" });
  }
  const settings = { ...config, sft: config.sft };
  return withPolicy(config, { valueHead: false, answerRequired: true }, async (policy, facts) => {
    const data = await loadDataSets(config.data, facts, config.seed);
    return { job: new SftJob({ settings, policy, data, answer: config.data.answer }), close: () => policy.close() };
  });
}

/** Policy, data and components of a config, put together. Errors come before a model is loaded wherever they can. */
export async function openRun(
  config: ResolvedConfig,
  services: HostServices = {},
  { watch }: Pick<CompositionOptions, "watch"> = {},
): Promise<Run> {
  const given = { services: Object.keys(services) as ServiceName[], watch };
  checkComposition(config, given);
  checkSecrets(config, given);
  const reads = new Set(partsOf(config).flatMap(({ component }) => component.reads.map((reference) => referenceOf(reference).name)));
  const needs = { valueHead: reads.has("values") || reads.has("oldValues"), answerRequired: reads.has("golds") };
  return withPolicy(config, needs, async (policy, facts) => {
    const data = await loadDataSets(config.data, facts, config.seed);
    const runFacts = runFactsOf(config, policy.info);
    const composition = await buildComposition(config, runFacts, given);
    const teacher = await openTeacher(config, policy);
    const parts = { settings: config, policy, teacher, composition, data, dataColumns: config.data.columns, services };
    return orClose(teacher, () => new Run(parts));
  });
}

/** Opens the policy; closes it again when what is made of it fails. */
async function withPolicy<T>(
  config: ResolvedConfig,
  { valueHead, answerRequired }: { valueHead: boolean; answerRequired: boolean },
  make: (policy: PolicyBackend, facts: DataFacts) => Promise<T>,
): Promise<T> {
  const policy = await openPolicy(config, { valueHead });
  const { tokenizer, info } = policy;
  const facts = { tokenizer, contextLength: info.contextLength, maxTokens: config.sampling.maxTokens, answerRequired };
  return orClose(policy, () => make(policy, facts));
}

/** Closes the model again when what is made of it fails: its thread would keep the process alive. */
async function orClose<T>(model: PolicyBackend | undefined, make: () => T | Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    await model?.close();
    throw error;
  }
}
