/** Steps from the root of a config to a value. */
export type Path = readonly (string | number)[];

/** `rewards[0].weight` */
export const formatPath = (path: Path): string =>
  path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    if (!/^[\w$@-]+$/.test(step)) return `${text}[${JSON.stringify(step)}]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");

/** `rewards[0].weight` and `rewards.0.weight` alike. */
export const parsePath = (text: string): Path =>
  text
    .replaceAll(/\[(\d+)\]/g, ".$1")
    .split(".")
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));

/** `/rewards/0/weight`, as Ajv writes it. */
export const parsePointer = (pointer: string): Path =>
  pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));

export const startsWith = (path: Path, prefix: Path): boolean => prefix.every((step, i) => path[i] === step);

/** The value at a path; undefined where the path leads nowhere. */
export const valueAt = (root: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (value, step) => (typeof value === "object" && value !== null ? (value as Record<string, unknown>)[step] : undefined),
    root,
  );
