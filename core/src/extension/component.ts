import "reflect-metadata";
import { inject, injectable } from "tsyringe";
import type { TObject } from "typebox";
import { PluginError } from "../errors.js";
import type { ColumnSpec, StandardColumn } from "../rollout/index.js";
import { EXTENSION_POINTS, type ExtensionPoint, type ServiceName } from "./names.js";
import type { Exceptions } from "./promises.js";
import { type ColumnNeed, readsUnder } from "./reads.js";

/** A standard column by name, or a column of the component's own with its type. */
export type ColumnReference = StandardColumn | ({ name: string } & ColumnSpec & ColumnNeed) | ({ name: StandardColumn } & ColumnNeed);

/**
 * Choices that change numbers under the same name elsewhere; printed in the run header.
 * Keys in use: `ratioAnchor`, `ratioLevel` (sequence mean, sequence product; token when left out), `bound`, `std`, `length` (divided by …),
 * `aggregation`, `groupOfOne`, `kl`; further ones are free. `registry/warnings.ts` reads them.
 */
export type Conventions = Readonly<Record<string, string>>;

export interface ComponentOptions {
  /** Name in configs, unique within its extension point. */
  id: string;
  /** One sentence: what it does. */
  description?: string;
  /** Options with defaults and ranges: type, JSON schema and documentation in one value. */
  options?: TObject;
  /** Columns it reads. Gates read logp, oldLogp and advantages unless they say otherwise. */
  reads?: readonly ColumnReference[];
  /** Columns it writes. */
  writes?: readonly ColumnReference[];
  /** Services it calls. */
  requires?: readonly ServiceName[];
  /** Properties that others can demand, e.g. "group-of-equal-prompts", "multi-turn", "tree-path". */
  provides?: readonly string[];
  /** Properties that some other component of the run must provide. */
  needs?: readonly string[];
  conventions?: Conventions;
  /** What the test kit promises of every component and this one breaks by definition, each with the reason. */
  exceptions?: Exceptions;
  /** Components of one package that name the same state share it: whatever one of them returns, the others see. */
  sharedState?: string;
  /** It wraps other reward models, given as `inner` in the config. */
  wraps?: boolean;
}

export interface ComponentMetadata extends ComponentOptions {
  point: ExtensionPoint;
}

// biome-ignore lint/suspicious/noExplicitAny: constructor parameters of components are injected by token
export type ComponentClass<T = unknown> = new (...parameters: any[]) => T;

const METADATA = Symbol.for("proximal/component");

/** Injection token of a component's validated options. */
export const OPTIONS = Symbol.for("proximal/options");
/** Injection token of the run's facts (`RunFacts`). */
export const RUN_FACTS = Symbol.for("proximal/run-facts");

/** Injects the component's options: validated, defaults filled in. */
export const options = (): ParameterDecorator => inject(OPTIONS) as ParameterDecorator;
/** Injects the run's facts: seed, planned steps, group size, learning rate. */
export const runFacts = (): ParameterDecorator => inject(RUN_FACTS) as ParameterDecorator;

/** What every component may know about its run. */
export interface RunFacts {
  readonly seed: number;
  /** Planned training steps. */
  readonly totalSteps: number;
  readonly groupSize: number;
  readonly promptsPerStep: number;
  /** Longest response, tokens. */
  readonly maxTokens: number;
  readonly temperature: number;
  readonly vocabularySize: number;
  /** Width of the policy's final-layer state; 0 when it has none. */
  readonly hiddenSize: number;
}

/** Where tsyringe's `inject` leaves the tokens of a class's constructor parameters, by position. */
const TOKENS = "injectionTokens";

/** Every constructor parameter names what is put there: a reflected type is not there under every compiler. */
function refuseUnnamed(target: ComponentClass, { id }: ComponentOptions, point: ExtensionPoint): void {
  const tokens = (Reflect.getMetadata(TOKENS, target) ?? {}) as Readonly<Record<number, unknown>>;
  const unnamed = Array.from({ length: target.length }, (_, i) => i).find((i) => tokens[i] === undefined);
  if (unnamed === undefined) return;
  throw new PluginError(`${point} "${id}": nothing says what parameter ${unnamed + 1} of the constructor of ${target.name} is`, {
    accepted: "constructor(@options() private readonly o: …), or @runFacts(), or @inject(TOKEN)",
  });
}

const decorator = (point: ExtensionPoint) => (meta: ComponentOptions) => (target: ComponentClass) => {
  refuseUnnamed(target, meta, point);
  injectable()(target);
  Object.defineProperty(target, METADATA, { value: Object.freeze({ ...meta, point }) });
};

export const sampler = decorator("sampler");
export const rewardModel = decorator("reward");
export const advantageEstimator = decorator("advantage");
export const trustRegionGate = decorator("gate");
export const regularizer = decorator("regularizer");
export const objective = decorator("objective");
export const environment = decorator("environment");
export const critic = decorator("critic");
export const optimizer = decorator("optimizer");
export const watchdog = decorator("watchdog");
export const exporter = decorator("exporter");
export const judge = decorator("judge");
export const embedder = decorator("embedder");

/** Metadata that a decorator left on a class. */
export function metadataOf(target: ComponentClass): ComponentMetadata {
  const meta = (target as unknown as Record<symbol, ComponentMetadata | undefined>)[METADATA];
  if (meta === undefined) {
    throw new PluginError(`class ${target.name} is no component: it carries none of the extension-point decorators`, {
      accepted: EXTENSION_POINTS,
    });
  }
  return meta;
}

/** The same for given options: columns that are not read under them are left out. */
export function metadataUnder(target: ComponentClass, options: Readonly<Record<string, unknown>>): ComponentMetadata {
  const meta = metadataOf(target);
  return meta.reads === undefined ? meta : { ...meta, reads: readsUnder(meta.reads, options) };
}
