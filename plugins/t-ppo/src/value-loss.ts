import { type Context, type Expr, type Regularizer, regularizer, type Term, Type, where } from "@proximal/core";
import { count, WINDOW_COLUMNS } from "./window.js";

/** ½·mean over the tokens of finished responses of (V - G)²; 0 without any. Gradient through V. T-PPO (2506.15050). */
@regularizer({
  id: "t-ppo-value",
  description: "Squared error of the value head against the Monte Carlo returns of finished responses",
  options: Type.Object({}),
  reads: ["values", "returns", WINDOW_COLUMNS.valueMask],
  conventions: { aggregation: "mean over the tokens of finished responses" },
})
export class FinishedValueLoss implements Regularizer {
  terms(context: Context): Term {
    const { values, returns } = context;
    const tokens = context.updateNumber("value tokens", (update) => Math.max(1, count(update.f64("valueMask"))));
    const error: Expr = where(context.column("valueMask"), values.sub(returns), 0).square().div(tokens);
    return { value: error.mul(0.5), aggregation: "token-sum", observe: { valueError: { value: error, aggregation: "token-sum" } } };
  }
}
