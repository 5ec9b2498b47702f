import {
  type ColumnReference,
  type ColumnSpec,
  type ColumnSpecs,
  type ComponentClass,
  type ComponentMetadata,
  completeOptions,
  type Examples,
  type ExtensionPoint,
  instantiate,
  metadataOf,
  metadataUnder,
  type Options,
  type PluginDefinition,
  type RunFacts,
} from "@proximal/core";

/** A component under test, with what is known of it. */
export interface Subject<C = unknown> {
  /** `point:id` */
  name: string;
  point: ExtensionPoint;
  component: ComponentClass<C>;
  metadata: ComponentMetadata;
  examples: Examples;
  /** Options that stand for the defaults. */
  base: Options;
  /** Types of the plugin's own columns. */
  specs: ColumnSpecs;
}

/** The run that components under test are told of. */
export const FACTS: RunFacts = {
  seed: 1,
  totalSteps: 10,
  groupSize: 4,
  promptsPerStep: 2,
  maxTokens: 16,
  temperature: 1,
  vocabularySize: 11,
  hiddenSize: 2,
};

const specOf = (reference: ColumnReference): [string, ColumnSpec] | undefined =>
  typeof reference === "object" && "at" in reference
    ? [reference.name, { at: reference.at, dtype: reference.dtype, ...(reference.width === undefined ? {} : { width: reference.width }) }]
    : undefined;

export const nameOf = (reference: ColumnReference): string => (typeof reference === "string" ? reference : reference.name);

/** All components of a plugin as subjects. */
export function subjectsOf({ components }: Pick<PluginDefinition, "components">, examples: Examples = {}): Subject[] {
  const references = components.flatMap((component) => {
    const { reads = [], writes = [] } = metadataOf(component);
    return [...reads, ...writes];
  });
  const specs = Object.fromEntries(references.flatMap((reference) => [specOf(reference)].filter((spec) => spec !== undefined)));
  return components.map((component) => {
    const metadata = metadataOf(component);
    const name = `${metadata.point}:${metadata.id}`;
    return { name, point: metadata.point, component, metadata, examples, base: examples.options?.[name]?.[0] ?? {}, specs };
  });
}

/** An instance with the subject's options. */
export const build = <C>({ component, base }: Subject<C>, options: Options = {}): C =>
  instantiate(component, { ...base, ...options }, { facts: FACTS });

/** Names of the columns that it declares to read under the given options. */
export function declaredReads({ component, base, point }: Subject, options: Options = {}): Set<string> {
  const { reads } = metadataUnder(component, completeOptions(component, { ...base, ...options }));
  return new Set(reads?.map(nameOf) ?? (point === "gate" ? ["logp", "oldLogp", "advantages"] : []));
}

export const optionalReads = ({ metadata }: Subject): string[] =>
  (metadata.reads ?? []).flatMap((reference) => (typeof reference === "object" && reference.optional ? [reference.name] : []));

export const declaredWrites = ({ metadata }: Subject): Set<string> => new Set((metadata.writes ?? []).map(nameOf));
