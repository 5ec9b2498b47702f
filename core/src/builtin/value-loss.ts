import { type Static, Type } from "typebox";
import { options, regularizer } from "../extension/component.js";
import type { Context } from "../extension/context.js";
import type { Regularizer, Term } from "../extension/points.js";
import { aggregationOf, aggregationOptions } from "./aggregation-options.js";

export const valueLossOptions = Type.Object({
  valueClip: Type.Number({ default: 0.2, exclusiveMinimum: 0, description: "Half-width of the change of a value since the rollout" }),
  valueCoef: Type.Number({ default: 0.1, minimum: 0, description: "Weight of the value loss" }),
  ...aggregationOptions,
});

/**
 * valueCoef·½·max((V - G)², (clip(V, V_old ± valueClip) - G)²), [B, T]; gradient through V alone, 0 where the clip binds.
 * RLHF form of PPO (1909.08593; TRL, verl).
 */
@regularizer({
  id: "value",
  description: "Clipped squared error of the value head",
  options: valueLossOptions,
  reads: ["values", "oldValues", "returns"],
  conventions: { bound: "values clipped to ±valueClip around those of the rollout, pessimistic maximum" },
})
export class ValueLoss implements Regularizer {
  constructor(@options() private readonly o: Static<typeof valueLossOptions>) {}

  terms({ values, oldValues, returns }: Context): Term {
    const { valueClip, valueCoef } = this.o;
    const error = values.sub(returns).square();
    const clippedError = values.clip(oldValues.sub(valueClip), oldValues.add(valueClip)).sub(returns).square();
    return {
      // On a tie the maximum keeps the gradient of its first operand: inside the clip that of the plain square.
      value: error.max(clippedError).mul(0.5 * valueCoef),
      aggregation: aggregationOf(this.o),
      observe: {
        valueError: { value: error, aggregation: "token-mean" },
        valueClipFraction: { value: clippedError.greater(error).cast("float"), aggregation: "token-mean" },
      },
    };
  }
}
