import {
  type Batch,
  bindProgram,
  type ComponentClass,
  evaluate,
  evaluateProgram,
  gradient,
  type LossComponent,
  type ObjectiveProgram,
  type Options,
  type PromiseName,
  programOf,
  STRUCTURE,
  type State,
  type StepValues,
  toJson,
  tracked,
} from "@proximal/core";
import { type BatchShape, check, nearInFloat32, rounded, sameDirection, termChecks } from "@proximal/core/testing";
import { batchFor } from "./batches.js";
import { type Check, type Effort, promiseCheck, type Work, within } from "./check.js";
import { optionalEngine } from "./engine.js";
import { optionSets } from "./options.js";
import { onShapes } from "./property.js";
import { servicesFor } from "./services.js";
import { sameState } from "./state.js";
import { build, declaredReads, FACTS, type Subject } from "./subject.js";

const ON_ANY_SHAPE: readonly PromiseName[] = ["rowOrder", "padding", "microBatches", "maskedNaN"];
const ON_USUAL: readonly PromiseName[] = ["gradient", "degenerate", "extremes", "float32"];

/** Promises of a gate, a regularizer or an objective. */
export function lossChecks(subject: Subject<LossComponent>, effort: Effort): Check[] {
  const { component, base, specs, metadata, name } = subject;
  const facts = { specs, run: FACTS, learningRate: 1e-2, batches: (seed: number, shape?: BatchShape) => batchFor(subject, seed, shape) };
  const termOf = (options: Options, state?: State) => ({
    component: component as ComponentClass<LossComponent>,
    options: { ...base, ...options },
    ...(state === undefined ? {} : { state }),
  });
  const checksOf = (options: Options = {}, seed = 1, shape?: BatchShape) =>
    termChecks(termOf(options), { ...facts, seed, batches: (s, given = shape) => batchFor(subject, s, given) });
  const one = (promise: PromiseName, run: Work) => promiseCheck(name, promise, metadata.exceptions?.[promise], run, effort);
  const everywhere = async (promise: PromiseName) => {
    checksOf()[promise]!();
    if (!effort.allOptions) return;
    for (const { title, options } of optionSets(subject)) await within(`with ${title}`, () => checksOf(options)[promise]!());
  };

  return [
    ...ON_USUAL.map((promise) => one(promise, () => everywhere(promise))),
    ...ON_ANY_SHAPE.map((promise) =>
      one(promise, async () => {
        await everywhere(promise);
        await onShapes(effort.runs, (seed, shape) => checksOf({}, seed, shape)[promise]!());
      }),
    ),
    one("engine", () => onEngine(subject, facts)),
    one("borders", async () => {
      for (const { title, options } of optionSets(subject)) await within(`with ${title}`, () => checksOf(options).extremes!());
    }),
    one("state", () => stateful(subject, facts)),
    one("reads", () => reads(subject, facts)),
  ];
}

const FACTORS: ReadonlySet<string> = new Set(["weights", "tokenWeights"]);

type Facts = NonNullable<Parameters<typeof programOf>[1]>;

/** Loss and gradients of the graph that the engine makes of the terms, against those in float64. A warning where it is not installed. */
async function onEngine(subject: Subject<LossComponent>, facts: Facts): Promise<string[]> {
  const engine = await optionalEngine();
  if (engine === null) return ["@proximal/onnx is not installed: its graph was not run"];
  const { program, stepValues } = programOf([{ component: subject.component, options: subject.base }], facts);
  const batch = rounded(batchFor(subject, 1), subject.specs);
  const { loss, variables, feeds } = bindProgram(program, batch, stepValues);
  const names = Object.keys(variables);
  const exprs = [loss, ...gradient(loss, Object.values(variables))];
  const doubles = evaluate(exprs, feeds).map(({ data }) => Array.from(data));
  const results = await engine.evaluateOnRuntime(Object.fromEntries(exprs.map((expr, i) => [`result ${i}`, expr])), feeds);
  const singles = exprs.map((_, i) => results[`result ${i}`]!);
  nearInFloat32(singles[0]![0]!, doubles[0]![0]!, "the loss");
  names.forEach((name, i) => {
    sameDirection(singles[i + 1]!, doubles[i + 1]!, batch.tokens, `d loss / d ${name}`);
  });
  return [];
}

/** What the terms read in each update, and the state after some. */
async function stateful(subject: Subject<LossComponent>, facts: Facts): Promise<void> {
  const first = build(subject);
  const state = first.initialState?.();
  if (state === undefined) {
    check(first.afterUpdate === undefined && first.stepValues === undefined, "it has afterUpdate or stepValues, but no initialState");
    return;
  }
  const advance = async (from: State, steps: readonly number[], instance: LossComponent): Promise<State> => {
    let current = from;
    for (const step of steps) {
      const batch = batchFor(subject, step + 1);
      const { program, stepValues } = programOf([{ component: subject.component, options: subject.base, state: current }], facts);
      const { observed } = evaluated(program, batch, stepValues);
      const services = servicesFor(subject.metadata.requires);
      const before = toJson(current);
      const next = await instance.afterUpdate?.({ observed, batch, services, state: current, step });
      check(toJson(current) === before, "afterUpdate changes the state that it is given instead of returning a new one");
      current = next ?? current;
    }
    return current;
  };
  const middle = await advance(state, [0, 1], first);
  await sameState(
    middle,
    (from, instance) => advance(from, [2, 3], instance),
    () => build(subject),
    first,
  );
}

function evaluated(program: ObjectiveProgram, batch: Batch, stepValues: StepValues) {
  const outcome = evaluateProgram(program, batch, stepValues);
  const { id } = program.parts[0]!;
  return { observed: Object.fromEntries(Object.entries(outcome.observed).map(([key, value]) => [key.slice(id.length + 1), value])) };
}

async function reads(subject: Subject<LossComponent>, facts: Facts): Promise<string[]> {
  const declared = new Set<string>();
  const read = new Set<string>();
  for (const { title, options } of [{ title: "the defaults", options: {} }, ...optionSets(subject)]) {
    const names = declaredReads(subject, options);
    const { program, stepValues } = programOf([{ component: subject.component, options: { ...subject.base, ...options } }], {
      ...facts,
      available: () => true,
    });
    // Factors of the advantage are the host's to read wherever a component has advantages.
    const seen = new Set([...program.columns].filter((name) => names.has(name) || !FACTORS.has(name)));
    const instance = build(subject, options);
    const state = instance.initialState?.();
    if (instance.afterUpdate !== undefined && state !== undefined) {
      const batch = batchFor(subject, 1);
      const services = servicesFor(subject.metadata.requires);
      await instance.afterUpdate({ ...evaluated(program, batch, stepValues), batch: tracked(batch, seen), services, state, step: 0 });
    }
    const undeclared = [...seen].filter((name) => !names.has(name));
    check(undeclared.length === 0, `with ${title} it reads ${undeclared.join(", ")}, which its reads do not name`);
    for (const name of names) if (!STRUCTURE.has(name)) declared.add(name);
    for (const name of seen) read.add(name);
  }
  return [...declared].filter((name) => !read.has(name)).map((name) => `it declares to read "${name}" and never does`);
}
