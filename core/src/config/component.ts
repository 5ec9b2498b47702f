import type { ManifestComponent } from "../extension/manifest.js";
import { EXTENSION_POINTS, type ExtensionPoint } from "../extension/names.js";
import type { RewardFailure } from "../extension/points.js";
import type { WatchdogResponse } from "../extension/watchdog.js";
import { absolutePaths, plainSecrets } from "./annotations.js";
import type { Origin } from "./compose.js";
import { isRecord } from "./document.js";
import type { Mistake } from "./explain.js";
import type { Installation, InstalledComponent, InstalledPackage } from "./installation.js";
import type { JsonSchema } from "./json-schema.js";
import { formatPath, type Path } from "./path.js";
import { hostProperties } from "./run-schema.js";
import { notInstalled } from "./unknown.js";
import { validate } from "./validate.js";

/** A component of a run: which one, with validated options. */
export interface ResolvedComponent {
  point: ExtensionPoint;
  id: string;
  /** Unique among the rewards, or among the terms of the loss: names metrics, step values and state. */
  name: string;
  package: InstalledPackage;
  component: ManifestComponent;
  options: Record<string, unknown>;
  /** Place in the config: `rewards[0]`. */
  path: string;
  origin: Origin;
  /** Factor of a reward in the sum; 1 for other points. */
  weight: number;
  /** Factor of a term in the loss; 1 for other points. */
  coefficient: number;
  /** Limits of an environment's episodes. */
  episode?: { maxTurns: number; observationTokens?: number };
  /** What follows when a reward model fails. */
  failure?: RewardFailure;
  /** What follows when a watchdog barks. */
  response?: WatchdogResponse;
  /** Reward models that it wraps. */
  inner: readonly ResolvedComponent[];
}

/** What the resolution of components needs of the whole config. */
export interface ComponentScope {
  installed: Installation;
  baseOf(path: Path): string;
  mistakes: Mistake[];
}

/** Validates one section and finds its component; undefined, with mistakes noted, when it cannot. */
export function resolveComponent(
  point: ExtensionPoint,
  section: unknown,
  path: Path,
  origin: Origin,
  scope: ComponentScope,
): ResolvedComponent | undefined {
  if (!isRecord(section)) {
    scope.mistakes.push({ path, message: "this value is not accepted", given: section, accepted: "an object with `use` and options" });
    return undefined;
  }
  const found = find(point, section.use, path, scope);
  if (found === undefined) return undefined;
  const { component, package: owner } = found;
  const schema = sectionSchema(found, scope.installed);
  const value = structuredClone(section);
  const mistakes = [...validate(schema, value, path), ...plainSecrets(value, path)];
  scope.mistakes.push(...mistakes);
  const inner = component.wraps ? resolveInner(value.inner, path, origin, scope) : [];
  if (mistakes.length > 0) return undefined;
  const complete = absolutePaths(schema, value, scope.baseOf, path);
  const host = new Set(Object.keys(hostProperties(point, component.wraps)));
  return {
    point,
    id: component.id,
    name: (complete.name as string | undefined) ?? component.id,
    package: owner,
    component,
    options: Object.fromEntries(Object.entries(complete).filter(([key]) => !host.has(key))),
    path: formatPath(path),
    origin,
    weight: host.has("weight") ? (complete.weight as number) : 1,
    coefficient: host.has("coefficient") ? (complete.coefficient as number) : 1,
    ...(point === "environment" ? { episode: episodeOf(complete) } : {}),
    ...(point === "reward" ? { failure: failureOf(complete) } : {}),
    ...(point === "watchdog" ? { response: responseOf(complete) } : {}),
    inner,
  };
}

const failureOf = ({ timeoutSeconds, retries, onFailure }: Readonly<Record<string, unknown>>): RewardFailure =>
  ({ timeoutSeconds, retries, onFailure }) as RewardFailure;

const responseOf = ({ action, rollbacks, learningRateFactor }: Readonly<Record<string, unknown>>): WatchdogResponse =>
  ({ action, rollbacks, learningRateFactor }) as WatchdogResponse;

const episodeOf = ({ maxTurns, observationTokens }: Readonly<Record<string, unknown>>): NonNullable<ResolvedComponent["episode"]> => ({
  maxTurns: maxTurns as number,
  ...(observationTokens === undefined ? {} : { observationTokens: observationTokens as number }),
});

function resolveInner(given: unknown, path: Path, origin: Origin, scope: ComponentScope): ResolvedComponent[] {
  if (!Array.isArray(given) || given.length === 0) {
    scope.mistakes.push({
      path: [...path, "inner"],
      message: "this reward wraps others, and none is given",
      accepted: "a list of rewards, e.g. inner: [{ use: exact-match }]",
    });
    return [];
  }
  return given.flatMap((section, i) => resolveComponent("reward", section, [...path, "inner", i], origin, scope) ?? []);
}

function find(point: ExtensionPoint, use: unknown, path: Path, { installed, mistakes }: ComponentScope): InstalledComponent | undefined {
  const ids = installed.componentsOf(point).map(({ component }) => component.id);
  const at = [...path, "use"];
  if (typeof use !== "string") {
    mistakes.push({
      path: at,
      message: use === undefined ? `no ${point} is named here` : "this value is not accepted",
      given: use,
      accepted: ids,
      hint: use === undefined ? "a section without `use` changes options of the algorithm's component, and there is none" : undefined,
    });
    return undefined;
  }
  const found = installed.component(point, use);
  if (found !== undefined) return found;
  const elsewhere = EXTENSION_POINTS.find((other) => installed.component(other, use) !== undefined);
  mistakes.push(
    elsewhere === undefined
      ? notInstalled(at, point, use, { names: ids, searched: installed.searched })
      : { path: at, message: `"${use}" is a ${elsewhere}, not a ${point}`, given: use, accepted: ids },
  );
  return undefined;
}

const merged = new WeakMap<JsonSchema, JsonSchema>();

/** Options and the host's own keys of a section in one schema. */
function sectionSchema({ package: owner, component }: InstalledComponent, installed: Installation): JsonSchema {
  const options = installed.schema(owner, component.schema);
  const known = merged.get(options);
  if (known !== undefined) return known;
  const properties = { ...hostProperties(component.point, component.wraps), ...(options.properties as object) };
  const schema = { ...options, properties };
  merged.set(options, schema);
  return schema;
}
