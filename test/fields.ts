import {
  CORRECT_COLUMN,
  EPISODE_COLUMNS,
  POLICY_COLUMNS,
  partsOf,
  REWARD_COLUMNS,
  type ResolvedConfig,
  ROLLOUT_COLUMNS,
  STANDARD_COLUMNS,
  type StandardColumn,
  TEACHER_COLUMN,
} from "@proximal/core";

/** Data set fields for the row columns that a run reads and that neither the run nor its components write; only `known` ones, if given. */
export function fieldsFor(config: ResolvedConfig, known?: readonly string[]): Record<string, string> {
  const nameOf = (reference: string | { name: string }) => (typeof reference === "string" ? reference : reference.name);
  const written = new Set<string>([...ROLLOUT_COLUMNS, ...EPISODE_COLUMNS, ...POLICY_COLUMNS, ...REWARD_COLUMNS]);
  for (const { component } of partsOf(config)) for (const reference of component.writes) written.add(nameOf(reference));
  const isRow = (reference: string | { name: string; at?: string }) => {
    const at = typeof reference === "object" ? reference.at : undefined;
    return (at ?? STANDARD_COLUMNS[nameOf(reference) as StandardColumn]?.at) === "row";
  };
  const missing = partsOf(config).flatMap(({ component, point }) => {
    // What is right follows from the rewards, for everything that comes after them.
    const given = (name: string) => written.has(name) || (name === CORRECT_COLUMN && point !== "reward");
    return component.reads.filter((reference) => isRow(reference) && !given(nameOf(reference)));
  });
  return Object.fromEntries(missing.map(nameOf).flatMap((name) => ((known?.includes(name) ?? true) ? [[name, name]] : [])));
}

/** Whether the run needs a teacher. */
export const readsTeacher = (config: ResolvedConfig): boolean =>
  partsOf(config).some(({ component }) => component.reads.some((r) => (typeof r === "string" ? r : r.name) === TEACHER_COLUMN));
