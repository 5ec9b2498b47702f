import { container, type DependencyContainer } from "tsyringe";
import { Value } from "typebox/value";
import { ConfigError } from "../errors.js";
import { type ComponentClass, metadataOf, OPTIONS, RUN_FACTS, type RunFacts } from "./component.js";

/** Facts of a component that lives outside a run: conformance cases, tests, plots. */
export const NO_RUN: RunFacts = {
  seed: 0,
  totalSteps: 1,
  groupSize: 1,
  promptsPerStep: 1,
  maxTokens: 1,
  temperature: 1,
  vocabularySize: 1,
  hiddenSize: 1,
};

/** `given` with the schema's defaults filled in. An option that does not fit is a `ConfigError` that names it. */
export function completeOptions(target: ComponentClass, given: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const { options: schema, id, point } = metadataOf(target);
  if (schema === undefined) return { ...given };
  const value = Value.Default(schema, structuredClone(given)) as Record<string, unknown>;
  for (const error of Value.Errors(schema, value)) {
    const path = error.instancePath || "/";
    throw new ConfigError(`${point} "${id}": option ${path} ${error.message}`, { given: Value.Pointer.Get(value, path) });
  }
  return value;
}

interface InstantiateOptions {
  facts?: RunFacts;
  parent?: DependencyContainer;
  /** What the component gets in place of its completed options. */
  watch?: (complete: Record<string, unknown>) => Record<string, unknown>;
}

/** An instance with its own container: options, facts and whatever `register` adds. */
export function instantiate<T>(
  target: ComponentClass<T>,
  given: Readonly<Record<string, unknown>> = {},
  { facts = NO_RUN, parent = container, watch = (complete) => complete }: InstantiateOptions = {},
): T {
  const scope = parent.createChildContainer();
  scope.register(OPTIONS, { useValue: watch(completeOptions(target, given)) });
  scope.register(RUN_FACTS, { useValue: facts });
  return scope.resolve(target);
}
