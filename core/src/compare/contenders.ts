import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import type { ResolvedComponent } from "../config/component.js";
import { ConfigDocument, isRecord } from "../config/document.js";
import type { Installation } from "../config/installation.js";
import { nearest } from "../config/nearest.js";
import type { ResolvedConfig } from "../config/resolve.js";
import { COMPONENT_SECTIONS } from "../config/run-schema.js";
import { UsageError } from "../errors.js";
import { checkComposition } from "../registry/check.js";
import { describeRun } from "../registry/describe.js";
import { resolveRun } from "../registry/resolve.js";

type Json = Record<string, unknown>;

/** What all contenders share: a config without an algorithm. */
export interface Task {
  name: string;
  /** Folder that its relative paths start from. */
  folder: string;
  value: Json;
}

/** One side of a comparison. */
export interface Contender {
  name: string;
  /** Parts, options and conventions, in lines. */
  description: readonly string[];
  /** What keeps it from being the task with another algorithm: in words. */
  differences: readonly string[];
  config(seed: number, output: string): ResolvedConfig;
}

const TASKS = join("examples", "tasks");
const isFile = (name: string): boolean => /\.(ya?ml|json)$/.test(name);

/** The task of a name (a file of examples/tasks, here or further up) or of a file. */
export function findTask(name: string, cwd: string): Task {
  if (isFile(name)) return read(name, cwd);
  const folders: string[] = [];
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const tasks = join(folder, TASKS);
    if (existsSync(join(tasks, `${name}.yaml`))) return read(join(tasks, `${name}.yaml`), cwd);
    if (existsSync(tasks)) folders.push(tasks);
    if (dirname(folder) === folder) break;
  }
  const known = folders.flatMap((folder) => readdirSync(folder)).flatMap((file) => (isFile(file) ? [basename(file, extname(file))] : []));
  const near = nearest(name, known);
  throw new UsageError(`there is no task "${name}"`, {
    accepted: known.length > 0 ? [...known, "a config file"] : `a config file; tasks by name are looked for in ${TASKS}`,
    ...(near === undefined ? {} : { hint: `did you mean "${near}"?` }),
  });
}

function read(file: string, cwd: string): Task {
  const { value, folder } = ConfigDocument.read(file, cwd);
  return { name: basename(file, extname(file)), folder, value };
}

/** Sections that a contender's file may give: the method. All others are the task's. */
const METHOD = [...Object.keys(COMPONENT_SECTIONS), "algorithm", "optimizer", "teacher", "plugins"];
/** Keys of the trainer section that belong to the method. */
const METHOD_TRAINER = ["epochs", "miniBatches", "aggregation", "recomputeOldLogp"];

export interface ContenderOptions {
  /** Overrides for all contenders. */
  set?: readonly string[];
  cwd: string;
  /** Response tokens that each run may draw; the task's when left out. */
  budget?: number;
  /** Most steps of each run; the task's when left out. */
  steps?: number;
}

/**
 * A contender from the name of an algorithm, or from a config file (or its content, with a name) of which the method is taken.
 * Errors come before any run.
 */
export function contender(entry: string | { name: string; value: Json }, task: Task, options: ContenderOptions): Contender {
  const { set = [], cwd } = options;
  const { name, value } = typeof entry === "string" ? readEntry(entry, cwd) : entry;
  const own = methodOf(value);
  const place = { set, cwd: task.folder, packages: [cwd] };
  const source = combine(task.value, own.value, options);
  const { config: first, installed } = resolveRun(source, place);
  // An algorithm that brings rewards of its own keeps them: they wrap the task's kind of reward.
  const bringsRewards = own.value.rewards === undefined && Object.hasOwn(first.algorithm?.algorithm.compose ?? {}, "rewards");
  if (bringsRewards) delete source.rewards;
  // So do its epochs and mini-batches.
  const brought = (first.algorithm?.algorithm.compose as Json | undefined)?.trainer;
  if (isRecord(brought) && isRecord(source.trainer)) {
    const given = isRecord(own.value.trainer) ? own.value.trainer : {};
    for (const key of Object.keys(brought)) if (!Object.hasOwn(given, key)) delete source.trainer[key];
  }
  if (own.value.sampler === undefined && first.sampler !== undefined) source.sampler = sizeOf(first.sampler, task.value, installed);
  const config = (seed: number, output: string): ResolvedConfig => resolveRun({ ...source, seed, name, output }, place).config;
  const example = config(1, join(cwd, name));
  checkComposition(example);
  const differences = [
    ...own.forced.map((key) => `\`${key}\` of ${name} gives way to the task's`),
    ...(bringsRewards ? ["rewards are the algorithm's own"] : []),
    ...differencesOf(example, task),
  ];
  return { name, description: describeRun(example).filter((line) => !SHARED.test(line)), differences, config };
}

const readEntry = (entry: string, cwd: string): { name: string; value: Json } =>
  isFile(entry)
    ? { name: basename(entry, extname(entry)), value: ConfigDocument.read(entry, cwd).value }
    : { name: entry, value: { algorithm: entry } };

/** Lines of a run's description that say the same of all contenders. */
const SHARED = /^ {2}(run|engine|model|data|output|sampling) /;

interface Method {
  value: Json;
  /** Keys of the file that the comparison leaves out. */
  forced: string[];
}

function methodOf(document: Json): Method {
  const value: Json = {};
  const forced: string[] = [];
  for (const [key, part] of Object.entries(document)) {
    if (METHOD.includes(key)) value[key] = part;
    else if (key === "trainer" && isRecord(part)) {
      value.trainer = Object.fromEntries(Object.entries(part).filter(([name]) => METHOD_TRAINER.includes(name)));
      forced.push(...Object.keys(part).flatMap((name) => (METHOD_TRAINER.includes(name) ? [] : [`trainer.${name}`])));
    } else if (key === "data" && isRecord(part)) {
      if (part.columns !== undefined) value.data = { columns: part.columns };
      forced.push("data");
    } else forced.push(key);
  }
  return { value, forced };
}

/** The task with the method's sections in it; `sampler` of the task is only a size (`fitSampler`). */
function combine(task: Json, method: Json, { budget, steps }: ContenderOptions): Json {
  const { sampler: _size, ...rest } = task;
  const merged: Json = structuredClone({ ...rest, ...method });
  for (const key of ["data", "trainer", "optimizer"])
    if (isRecord(method[key]) && isRecord(task[key])) merged[key] = { ...task[key], ...method[key] };
  merged.trainer = {
    ...(merged.trainer as Json | undefined),
    ...(steps === undefined ? {} : { steps, ...(budget === undefined ? { tokenBudget: null } : {}) }),
    ...(budget === undefined ? {} : { tokenBudget: budget }),
  };
  return merged;
}

const numberOf = (section: unknown, key: string): number | undefined => {
  const value = isRecord(section) ? section[key] : undefined;
  return typeof value === "number" ? value : undefined;
};

/** Responses a step that the task asks for. */
const stepSize = (task: Json): { groupSize: number; responses: number } => {
  const groupSize = numberOf(task.sampler, "groupSize") ?? 8;
  return { groupSize, responses: groupSize * (numberOf(task.sampler, "promptsPerStep") ?? 8) };
};

/** Keeps the method's responses a prompt and takes as many prompts as make the task's responses a step. */
function sizeOf({ options, component, package: owner }: ResolvedComponent, task: Json, installed: Installation): Json {
  const { groupSize, responses } = stepSize(task);
  const perPrompt = numberOf(options, "groupSize") ?? numberOf(options, "rolloutsPerPrompt") ?? groupSize;
  const prompts = Math.max(1, Math.round(responses / perPrompt));
  const properties = installed.schema(owner, component.schema).properties as Json;
  return "targetGroups" in properties ? { targetGroups: prompts } : "promptsPerStep" in properties ? { promptsPerStep: prompts } : {};
}

/** What a reader of the figures must know beside the method's equations. */
function differencesOf({ sampler, trainer, optimizer }: ResolvedConfig, { value }: Task): string[] {
  const options = sampler?.options ?? {};
  const perPrompt = numberOf(options, "groupSize") ?? numberOf(options, "rolloutsPerPrompt");
  const prompts = numberOf(options, "targetGroups") ?? numberOf(options, "promptsPerStep");
  const updates = trainer.epochs * trainer.miniBatches;
  const learningRate = numberOf(value.optimizer, "learningRate");
  return [
    ...(perPrompt === undefined || prompts === undefined
      ? []
      : [`${perPrompt} response${perPrompt === 1 ? "" : "s"} to each of ${prompts} prompts a step`]),
    ...(updates === 1 ? [] : [`${updates} updates a step (${trainer.epochs} epochs of ${trainer.miniBatches})`]),
    ...(learningRate === undefined || learningRate === optimizer.learningRate ? [] : [`learning rate ${optimizer.learningRate}`]),
  ];
}
