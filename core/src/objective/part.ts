import type { LossComponent, State } from "../extension/points.js";
import type { StepValues } from "../policy/index.js";
import type { LossPart } from "./program.js";

export interface PartFacts {
  id: string;
  component: LossComponent;
  coefficient?: number;
  /** State whose step values the terms read; `initialState()` by default. */
  state?: State;
  step?: number;
  learningRate?: number;
}

/** A component as a part of a loss, and the step values that its terms read, by `<id>.<name>`. */
export function lossPart({ id, component, coefficient = 1, state = component.initialState?.(), step = 0, learningRate = 0 }: PartFacts): {
  part: LossPart;
  stepValues: StepValues;
} {
  const given = component.stepValues?.(state as State, { step, learningRate }) ?? {};
  const stepShapes = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, typeof value === "number" ? [1, 1] : value.shape]),
  );
  const stepValues = Object.fromEntries(Object.entries(given).map(([name, value]) => [`${id}.${name}`, value]));
  return { part: { id, component, coefficient, stepShapes }, stepValues };
}
