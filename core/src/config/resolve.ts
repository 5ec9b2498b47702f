import { basename, extname, resolve } from "node:path";
import type { Aggregation } from "../extension/points.js";
import { absolutePaths, plainSecrets } from "./annotations.js";
import { type ComponentScope, type ResolvedComponent, resolveComponent } from "./component.js";
import { type Composed, compose } from "./compose.js";
import { type ConfigDocument, isRecord } from "./document.js";
import { type Mistake, refuse } from "./explain.js";
import type { Installation, InstalledAdapter, InstalledAlgorithm } from "./installation.js";
import type { JsonSchema } from "./json-schema.js";
import { nearest } from "./nearest.js";
import { type Path, parsePath } from "./path.js";
import { COMPONENT_SECTIONS, type ComponentSectionName, coreRunSchema } from "./run-schema.js";
import type { DataSection, EvaluationSection, OptimizerSection, SamplingSection, SftSection, TrainerSection } from "./schema.js";
import { notInstalled } from "./unknown.js";
import { branchFor, validate } from "./validate.js";

/** A config whose every name is found and every default filled in. */
export interface ResolvedConfig {
  /** The file it was read from, relative to the working directory. */
  file?: string;
  name: string;
  seed: number;
  algorithm?: InstalledAlgorithm;
  adapter: InstalledAdapter;
  /** For the adapter, as are the keys of `engine` other than `use`. Secrets are references: see `revealSecrets`. */
  model: Record<string, unknown>;
  /** As `model`: the frozen model whose log-probs are the column `teacherLogp`. */
  teacher?: Record<string, unknown>;
  engine: Record<string, unknown>;
  data: DataSection;
  sampling: SamplingSection;
  environment?: ResolvedComponent;
  sampler?: ResolvedComponent;
  rewards: readonly ResolvedComponent[];
  advantage?: ResolvedComponent;
  gate?: ResolvedComponent;
  objective?: ResolvedComponent;
  regularizers: readonly ResolvedComponent[];
  judge?: ResolvedComponent;
  embed?: ResolvedComponent;
  exporters: readonly ResolvedComponent[];
  watchdogs: readonly ResolvedComponent[];
  optimizer: OptimizerSection;
  trainer: Omit<TrainerSection, "aggregation"> & { aggregation: Aggregation };
  evaluation: EvaluationSection;
  sft?: SftSection;
  /** Absolute. */
  output: string;
  /** The same as a plain config: paths absolute, every default and every part spelled out, secrets as references. */
  config: Readonly<Record<string, unknown>>;
  /** For errors: where a value of the config stands. */
  place(path: string): string | undefined;
}

const DEFAULT_ENGINE = "onnx";
const DEFAULT_AGGREGATION: Aggregation = "token-mean";

/** Checks a whole config against the installed packages. Errors: `InvalidConfigError` with everything that is wrong. */
export function resolveDocument(document: ConfigDocument, installed: Installation): ResolvedConfig {
  const mistakes: Mistake[] = [];
  const algorithm = findAlgorithm(document.value, installed, mistakes);
  // Else every section that it would have filled counted as missing.
  refuse(mistakes, (path) => document.place(path));
  const { value, origins } = compose(document.value, algorithm?.algorithm);
  delete value.$schema;
  if (document.has(["gate"]) && document.has(["objective"])) {
    mistakes.push({
      path: ["objective"],
      message: "gate and objective exclude each other: an objective is a whole loss",
      accepted: "one of them",
    });
  }
  const schema = coreRunSchema();
  const broken = validate(schema, value);
  mistakes.push(...broken.map(addSection));
  const complete = absolutePaths(schema, value, (path) => document.baseOf(path));
  const scope: ComponentScope = { installed, baseOf: (path) => document.baseOf(path), mistakes };
  const parts = resolveParts(complete, origins, scope);
  const engine = resolveEngine(complete, document, installed, mistakes);
  refuse(mistakes, (path) => placeOf(document, path, algorithm));

  const sections = complete as unknown as Omit<ResolvedConfig, "trainer"> & { trainer: TrainerSection; plugins: string[] };
  const name = sections.name ?? (document.file === undefined ? "run" : basename(document.file, extname(document.file)));
  const output = sections.output ?? resolve(document.cwd, "runs", name);
  const trainer = { ...sections.trainer, aggregation: (sections.trainer.aggregation ?? DEFAULT_AGGREGATION) as Aggregation };
  const plugins = sections.plugins.map((plugin, i) => (plugin.startsWith(".") ? resolve(document.baseOf(["plugins", i]), plugin) : plugin));
  const { adapter, model, teacher, engineOptions } = engine!;
  return {
    file: document.file,
    name,
    seed: sections.seed,
    algorithm,
    adapter,
    model,
    ...(teacher === undefined ? {} : { teacher }),
    engine: engineOptions,
    data: sections.data,
    sampling: sections.sampling,
    ...parts,
    optimizer: sections.optimizer,
    trainer,
    evaluation: sections.evaluation,
    sft: sections.sft,
    output,
    config: {
      ...complete,
      name,
      plugins,
      model,
      ...(teacher === undefined ? {} : { teacher }),
      engine: { use: adapter.adapter.id, ...engineOptions },
      trainer,
      output,
      ...Object.fromEntries(
        Object.entries(parts).map(([section, part]) => [
          section,
          Array.isArray(part) ? part.map(spellOut) : part && spellOut(part as ResolvedComponent),
        ]),
      ),
    },
    place: (path) => placeOf(document, parsePath(path), algorithm),
  };
}

/** A component as a section of a config. */
const spellOut = ({
  id,
  point,
  name,
  weight,
  coefficient,
  options,
  episode,
  failure,
  response,
  inner,
}: ResolvedComponent): Record<string, unknown> => ({
  use: id,
  ...(point === "reward" ? { name, weight } : {}),
  ...(point === "gate" || point === "objective" || point === "regularizer" ? { coefficient } : {}),
  ...episode,
  ...failure,
  ...response,
  ...options,
  ...(inner.length > 0 ? { inner: inner.map(spellOut) } : {}),
});

function findAlgorithm(
  { algorithm: id }: Record<string, unknown>,
  installed: Installation,
  mistakes: Mistake[],
): InstalledAlgorithm | undefined {
  if (typeof id !== "string") return undefined;
  const found = installed.algorithms.get(id);
  if (found === undefined)
    mistakes.push(notInstalled(["algorithm"], "algorithm", id, { names: [...installed.algorithms.keys()], searched: installed.searched }));
  return found;
}

/** For an unknown top-level key that is known, or nearly, inside a section: says so. */
function addSection(mistake: Mistake): Mistake {
  const [key, ...rest] = mistake.path;
  if (rest.length > 0 || mistake.hint !== undefined || !mistake.message.startsWith("unknown key")) return mistake;
  const sections = Object.entries(coreRunSchema().properties as Record<string, JsonSchema>);
  const inside = sections.flatMap(([section, { properties }]) =>
    isRecord(properties) ? Object.keys(properties).map((name) => [name, section]) : [],
  );
  // Of a key that several sections have, the first section is meant: training before supervised training.
  const homes = new Map((inside as [string, string][]).reverse());
  const meant = nearest(String(key), homes.keys());
  return meant === undefined ? mistake : { ...mistake, hint: `did you mean "${homes.get(meant)}.${meant}"?` };
}

type Parts = Pick<ResolvedConfig, ComponentSectionName>;

function resolveParts(config: Readonly<Record<string, unknown>>, origins: Composed["origins"], scope: ComponentScope): Parts {
  const parts: Record<string, unknown> = { rewards: [], regularizers: [], exporters: [], watchdogs: [] };
  for (const [name, point] of Object.entries(COMPONENT_SECTIONS) as [
    ComponentSectionName,
    (typeof COMPONENT_SECTIONS)[ComponentSectionName],
  ][]) {
    const section = config[name];
    if (section === undefined) continue;
    const origin = origins[name] ?? "config";
    if (Array.isArray(section)) {
      parts[name] = section.flatMap((item, i) => (isRecord(item) ? (resolveComponent(point, item, [name, i], origin, scope) ?? []) : []));
    } else if (isRecord(section)) {
      parts[name] = resolveComponent(point, section, [name], origin, scope);
    }
  }
  const resolved = parts as unknown as Parts;
  const terms = [resolved.gate, resolved.objective, ...resolved.regularizers].filter((part) => part !== undefined);
  nameApart(terms, scope.mistakes);
  nameApart(resolved.watchdogs, scope.mistakes);
  nameApart(flatten(resolved.rewards), scope.mistakes);
  nameApart(resolved.exporters, scope.mistakes);
  return resolved;
}

const flatten = (rewards: readonly ResolvedComponent[]): ResolvedComponent[] =>
  rewards.flatMap((reward) => [reward, ...flatten(reward.inner)]);

/** Numbers components of equal id; refuses equal names that were given. */
function nameApart(components: readonly ResolvedComponent[], mistakes: Mistake[]): void {
  const given = new Set<string>();
  for (const { name, id, path } of components) {
    if (name === id) continue;
    if (given.has(name))
      mistakes.push({
        path: [...parsePath(path), "name"],
        message: `the name "${name}" is given twice`,
        given: name,
        accepted: "a name of its own",
      });
    given.add(name);
  }
  const used = new Set(given);
  for (const component of components) {
    if (component.name !== component.id) continue;
    for (let number = 2; used.has(component.name); number++) component.name = `${component.id}-${number}`;
    used.add(component.name);
  }
}

interface ResolvedEngine {
  adapter: InstalledAdapter;
  model: Record<string, unknown>;
  teacher?: Record<string, unknown>;
  engineOptions: Record<string, unknown>;
}

function resolveEngine(
  config: Readonly<Record<string, unknown>>,
  document: ConfigDocument,
  installed: Installation,
  mistakes: Mistake[],
): ResolvedEngine | undefined {
  const { engine, model, teacher } = config;
  if (!isRecord(engine)) return undefined;
  const only = installed.adapters.size === 1 ? [...installed.adapters.keys()][0]! : DEFAULT_ENGINE;
  const use = engine.use ?? only;
  if (typeof use !== "string") return undefined;
  const adapter = installed.adapters.get(use);
  if (adapter === undefined) {
    mistakes.push(
      notInstalled(["engine", "use"], "engine", use, {
        names: [...installed.adapters.keys()],
        searched: installed.searched,
        prefix: "@proximal/",
      }),
    );
    return undefined;
  }
  const schemaOf = (file: string) => installed.schema(adapter.package, file);
  const baseOf = (path: Path) => document.baseOf(path);
  const { use: _use, ...engineOptions } = engine;
  const engineSchema = schemaOf(adapter.adapter.engineSchema);
  const resolveModel = (given: unknown, section: "model" | "teacher"): Record<string, unknown> => {
    const schema = branchFor(schemaOf(adapter.adapter.modelSchema), isRecord(given) ? given : {});
    if (isRecord(given)) mistakes.push(...validate(schema, given, [section]), ...plainSecrets(given, [section]));
    return absolutePaths(schema, isRecord(given) ? given : {}, baseOf, [section]);
  };
  mistakes.push(...validate(engineSchema, engineOptions, ["engine"]), ...plainSecrets(engineOptions, ["engine"]));
  return {
    adapter,
    model: resolveModel(model, "model"),
    ...(teacher === undefined ? {} : { teacher: resolveModel(teacher, "teacher") }),
    engineOptions: absolutePaths(engineSchema, engineOptions, baseOf, ["engine"]),
  };
}

/** File and line of a value; the algorithm when it gave the value; the config's file for a value that nobody gave. */
function placeOf(document: ConfigDocument, path: Path, algorithm: InstalledAlgorithm | undefined): string | undefined {
  const [section] = path;
  if (section === undefined || algorithm === undefined || document.has([section])) return document.place(path);
  const given = Object.hasOwn(algorithm.algorithm.compose, section);
  return given ? `algorithm ${algorithm.id} (${algorithm.package.manifest.name})` : document.place(path);
}
