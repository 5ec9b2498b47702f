import type { ComponentClass, RunFacts } from "../extension/component.js";
import { metadataOf } from "../extension/component.js";
import { instantiate, NO_RUN } from "../extension/instantiate.js";
import type { Aggregation, LossComponent, State } from "../extension/points.js";
import type { Services } from "../extension/services.js";
import { evaluateProgram, type TermsOutcome } from "../objective/evaluate.js";
import { lossPart } from "../objective/part.js";
import { type LossPart, ObjectiveProgram } from "../objective/program.js";
import type { StepValues } from "../policy/index.js";
import type { ColumnSpecs } from "../rollout/index.js";
import { batchOfCase, type Inputs, type Options } from "./case.js";

/** A loss component with options and its weight in the loss. */
export interface TermCase {
  component: ComponentClass<LossComponent>;
  options?: Options;
  coefficient?: number;
  /** State whose step values the terms read; `initialState()` by default. */
  state?: State;
}

/** Components of a loss as a program, with step values from their states. Ids are made unique. */
export function programOf(
  terms: readonly TermCase[],
  { aggregation = "token-mean", specs = {}, available, learningRate = 0, step = 0, run = {} }: ProgramFacts = {},
): { program: ObjectiveProgram; stepValues: StepValues } {
  const stepValues: Record<string, StepValues[string]> = {};
  const parts = terms.map(({ component, options, coefficient, state }, i): LossPart => {
    const { id } = metadataOf(component);
    const unique = terms.findIndex((other) => metadataOf(other.component).id === id) === i ? id : `${id}#${i}`;
    const instance = instantiate(component, options, { facts: { ...NO_RUN, ...run } });
    const made = lossPart({ id: unique, component: instance, coefficient, state, step, learningRate });
    Object.assign(stepValues, made.stepValues);
    return made.part;
  });
  const sizes = { V: run.vocabularySize, H: run.hiddenSize };
  return { program: new ObjectiveProgram(parts, { aggregation, specs, available, sizes, maxTokens: run.maxTokens }), stepValues };
}

export interface ProgramFacts {
  /** Of terms that name none. */
  aggregation?: Aggregation;
  specs?: ColumnSpecs;
  available?: (column: string) => boolean;
  learningRate?: number;
  step?: number;
  /** Facts of the run that the components are told; those of `NO_RUN` by default. */
  run?: Partial<RunFacts>;
}

/** Runs loss components on a conformance case, through the same program that a training run executes. */
export function runTerms(terms: TermCase | readonly TermCase[], inputs: Inputs, facts: ProgramFacts = {}): TermsOutcome {
  const list = Array.isArray(terms) ? (terms as readonly TermCase[]) : [terms as TermCase];
  const batch = batchOfCase(inputs, facts.specs);
  const { program, stepValues } = programOf(list, { available: (name) => batch.has(name), ...facts });
  return evaluateProgram(program, batch, stepValues);
}

export interface UpdatedTerms extends TermsOutcome {
  /** The component's state after its `afterUpdate`. */
  state: State;
}

/** Runs one loss component on a conformance case as one update, followed by its `afterUpdate`. Names carry no component id. */
export async function runUpdate(
  term: TermCase,
  inputs: Inputs,
  facts: ProgramFacts & { services?: Partial<Services> } = {},
): Promise<UpdatedTerms> {
  const batch = batchOfCase(inputs, facts.specs);
  const { program, stepValues } = programOf([term], { available: (name) => batch.has(name), ...facts });
  const { id, component } = program.parts[0]!;
  const outcome = evaluateProgram(program, batch, stepValues);
  const own = <A>(named: Readonly<Record<string, A>>): Record<string, A> =>
    Object.fromEntries(Object.entries(named).map(([name, value]) => [name.slice(id.length + 1), value]));
  const observed = own(outcome.observed);
  const before = (term.state ?? component.initialState?.()) as State;
  const services = (facts.services ?? {}) as Services;
  const after = await component.afterUpdate?.({ observed, batch, services, state: before, step: facts.step ?? 0 });
  return { ...outcome, observed, perToken: own(outcome.perToken), state: after ?? before };
}
