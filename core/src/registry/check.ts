import type { ResolvedComponent } from "../config/component.js";
import type { ResolvedConfig } from "../config/resolve.js";
import { CompositionError, type ErrorDetails } from "../errors.js";
import type { ServiceName } from "../extension/names.js";
import type { ColumnSpec } from "../rollout/column.js";
import {
  CORRECT_COLUMN,
  EPISODE_COLUMNS,
  POLICY_COLUMNS,
  partsOf,
  REWARD_COLUMNS,
  type Reference,
  ROLLOUT_COLUMNS,
  readsOf,
  referenceOf,
  stageOf,
  TEACHER_COLUMN,
} from "./columns.js";

/** Everything that keeps the parts of a run from fitting together. */
export class InvalidCompositionError extends CompositionError {
  readonly problems: readonly CompositionError[];

  constructor(problems: readonly CompositionError[]) {
    super(problems[0]!.message, problems[0]!.details);
    this.problems = problems;
  }

  override describe(): string {
    return this.problems.map((problem) => problem.describe()).join("\n");
  }
}

/** Services that every run offers. */
const RUN_SERVICES: readonly ServiceName[] = ["scoreTokens", "policyGradient", "likelihoodGradient"];

/** Services that the config names. */
const namedServices = ({ judge, embed }: ResolvedConfig): ServiceName[] => [
  ...(judge === undefined ? [] : (["judge"] as const)),
  ...(embed === undefined ? [] : (["embed"] as const)),
];

const SERVICE_HINTS: Partial<Record<ServiceName, string>> = {
  judge: "name one: judge: { use: openai, baseUrl: …, model: … }, or the rule judge: { use: token-overlap }",
  functions: "functions come from a program that trains: train(config, { rewards: { NAME: … } })",
  embed: "name one: embed: { use: openai, baseUrl: …, model: … }, or embed: { use: hashed-ngrams }, which needs no server",
};

export interface CompositionOptions {
  /** Services that come from outside the run. */
  services?: readonly ServiceName[];
  /** What a component gets in place of its options: the same, watched. */
  watch?(part: ResolvedComponent, options: Record<string, unknown>): Record<string, unknown>;
}

/**
 * Whether the parts of a run fit together, from manifests alone: no code is loaded. Errors: `InvalidCompositionError` with
 * every column that nobody writes, is written twice or too late, every unmet need and service, and what is missing.
 */
export function checkComposition(config: ResolvedConfig, { services = [] }: CompositionOptions = {}): void {
  const parts = partsOf(config);
  const problems = [
    ...checkPresence(config),
    ...checkTeacher(config, parts),
    ...checkServiceUse(config, parts),
    ...checkWriters(config, parts),
    ...checkTypes(config, parts),
    ...checkReaders(config, parts),
    ...checkNeeds(config, parts),
    ...checkServices(config, parts, new Set([...RUN_SERVICES, ...services, ...namedServices(config)])),
  ];
  if (problems.length > 0) throw new InvalidCompositionError(problems);
}

const title = ({ point, id, package: owner }: ResolvedComponent): string => `${point} "${id}" (${owner.manifest.name})`;

const problemAt = (config: ResolvedConfig, path: string, message: string, details: ErrorDetails = {}): CompositionError =>
  new CompositionError(message, { file: config.place(path), path, ...details });

function checkPresence(config: ResolvedConfig): CompositionError[] {
  const hint = "set `algorithm`, which stands for all parts, or name one";
  const problems: CompositionError[] = [];
  if (config.sampler === undefined)
    problems.push(problemAt(config, "sampler", "the run has no sampler", { hint: `${hint}: sampler: { use: independent }` }));
  if (config.gate === undefined && config.objective === undefined) {
    problems.push(
      problemAt(config, "gate", "the run has neither a gate nor an objective: there is nothing to minimise", {
        hint: `${hint}: gate: { use: clip }`,
      }),
    );
  }
  return problems;
}

/** A teacher costs a pass over every rollout. */
function checkTeacher(config: ResolvedConfig, parts: readonly ResolvedComponent[]): CompositionError[] {
  const isRead = parts.some(({ component }) => component.reads.some((reference) => referenceOf(reference).name === TEACHER_COLUMN));
  if (config.teacher === undefined || isRead) return [];
  return [problemAt(config, "teacher", `the run names a teacher, but no component reads "${TEACHER_COLUMN}"`)];
}

/** A section that nobody asks is a mistake: the config says something that the run does not do. */
function checkServiceUse(config: ResolvedConfig, parts: readonly ResolvedComponent[]): CompositionError[] {
  const required = new Set(parts.flatMap(({ component }) => component.requires));
  return namedServices(config)
    .filter((service) => !required.has(service))
    .map((service) => problemAt(config, service, `the run names a service "${service}", but no component requires it`));
}

interface Writer {
  name: string;
  part?: ResolvedComponent;
}

/** Components and data columns that write each column; the host's own columns may be replaced by one of them. */
function writersOf(config: ResolvedConfig, parts: readonly ResolvedComponent[]): Map<string, Writer[]> {
  const writers = new Map<string, Writer[]>();
  const add = (column: string, writer: Writer) => writers.set(column, [...(writers.get(column) ?? []), writer]);
  for (const column of Object.keys(config.data.columns)) add(column, { name: `the data set (data.columns.${column})` });
  for (const part of parts) for (const { name } of part.component.writes.map(referenceOf)) add(name, { name: title(part), part });
  return writers;
}

/** Rewards add up, so each of them may write the reward columns; a wrapper replaces what its inner rewards write. */
function checkWriters(config: ResolvedConfig, parts: readonly ResolvedComponent[]): CompositionError[] {
  const shared = new Set<string>(REWARD_COLUMNS);
  const wrapped = (outer: ResolvedComponent, inner: ResolvedComponent): boolean =>
    outer.inner.some((part) => part === inner || wrapped(part, inner));
  return [...writersOf(config, parts)].flatMap(([column, writers]) => {
    if (shared.has(column)) return [];
    const outermost = writers.filter(({ part }) => !writers.some((other) => part && other.part && wrapped(other.part, part)));
    if (outermost.length < 2) return [];
    const names = outermost.map(({ name }) => name);
    return problemAt(
      config,
      outermost.at(-1)!.part?.path ?? "data.columns",
      `the column "${column}" is written by ${names.join(" and ")}`,
      {
        accepted: "one writer for each column",
      },
    );
  });
}

function checkTypes(config: ResolvedConfig, parts: readonly ResolvedComponent[]): CompositionError[] {
  const declared = new Map<string, { spec: ColumnSpec; part: ResolvedComponent }>();
  const text = ({ at, dtype, width }: ColumnSpec) => `${dtype} per ${at}${width === undefined ? "" : `, width ${width}`}`;
  return parts.flatMap((part) =>
    [...readsOf(part), ...part.component.writes.map(referenceOf)].flatMap(({ name, spec }) => {
      if (spec === undefined) return [];
      const other = declared.get(name);
      if (other === undefined) declared.set(name, { spec, part });
      if (other === undefined || text(other.spec) === text(spec)) return [];
      return problemAt(
        config,
        part.path,
        `the column "${name}" is ${text(other.spec)} for ${title(other.part)} and ${text(spec)} for ${title(part)}`,
      );
    }),
  );
}

function checkReaders(config: ResolvedConfig, parts: readonly ResolvedComponent[]): CompositionError[] {
  const writers = writersOf(config, parts);
  const host = new Set<string>([
    ...ROLLOUT_COLUMNS,
    ...POLICY_COLUMNS,
    ...(config.rewards.length > 0 ? REWARD_COLUMNS : []),
    ...(config.teacher === undefined ? [] : [TEACHER_COLUMN]),
    ...(config.environment === undefined ? [] : EPISODE_COLUMNS),
  ]);
  /** The sampler scores its groups, so it sees what the rewards write; a reward sees the rewards before it. */
  const isInTime = (writer: Writer, reader: ResolvedComponent): boolean => {
    if (writer.part === undefined || writer.part === reader) return true;
    const [written, read] = [stageOf(writer.part.point), stageOf(reader.point)];
    if (reader.point === "sampler") return written <= stageOf("reward");
    return written < read || (written === read && parts.indexOf(writer.part) < parts.indexOf(reader));
  };
  return parts.flatMap((part) =>
    readsOf(part).flatMap(({ name, optional }: Reference) => {
      if (optional || host.has(name)) return [];
      if (name === CORRECT_COLUMN && config.rewards.length > 0 && part.point !== "reward") return [];
      const found = writers.get(name) ?? [];
      if (found.some((writer) => isInTime(writer, part))) return [];
      const late = found[0];
      return late === undefined
        ? problemAt(config, part.path, `${title(part)} reads the column "${name}", which nobody writes`, { hint: sourceOf(name) })
        : problemAt(config, part.path, `${title(part)} reads the column "${name}" before ${late.name} writes it`);
    }),
  );
}

function sourceOf(column: string): string {
  if ((REWARD_COLUMNS as readonly string[]).includes(column)) return "add a reward: rewards: [{ use: exact-match }]";
  if (column === TEACHER_COLUMN) return "name a teacher: the section `teacher` takes the keys of `model`";
  if ((EPISODE_COLUMNS as readonly string[]).includes(column)) return "name an environment: environment: { use: … }";
  if (column === "advantages") return "add an advantage estimator: advantage: { use: group-normalized }";
  return `add a component that writes it, or fill it from the data set: data: { columns: { ${column}: <field> } }`;
}

function checkNeeds(config: ResolvedConfig, parts: readonly ResolvedComponent[]): CompositionError[] {
  const episodes = config.environment === undefined ? [] : ["multi-turn"];
  const provided = new Set([...parts.flatMap(({ component }) => component.provides), ...config.adapter.adapter.provides, ...episodes]);
  return parts.flatMap((part) =>
    part.component.needs
      .filter((need) => !provided.has(need))
      .map((need) =>
        problemAt(config, part.path, `${title(part)} needs "${need}", which no part of this run provides`, {
          accepted: provided.size > 0 ? `this run provides ${[...provided].sort().join(", ")}` : "this run provides nothing of the kind",
        }),
      ),
  );
}

function checkServices(
  config: ResolvedConfig,
  parts: readonly ResolvedComponent[],
  available: ReadonlySet<ServiceName>,
): CompositionError[] {
  return parts.flatMap((part) =>
    part.component.requires
      .filter((service) => !available.has(service))
      .map((service) =>
        problemAt(config, part.path, `${title(part)} requires the service "${service}", which this run does not have`, {
          accepted: [...available].sort(),
          hint: SERVICE_HINTS[service],
        }),
      ),
  );
}
