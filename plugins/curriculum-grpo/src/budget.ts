import { type Static, Type } from "@proximal/core";

export const budgetOptions = Type.Object({
  schedule: Type.Union([Type.Literal("exponential"), Type.Literal("linear"), Type.Literal("constant")], {
    default: "exponential",
    description: "How the budget falls",
  }),
  initialBudget: Type.Number({ default: 256, minimum: 1, description: "B0, tokens" }),
  finalBudget: Type.Number({ default: 87, minimum: 1, description: "Budget after the last drop of the linear schedule, tokens" }),
  decay: Type.Number({
    default: 0.7,
    exclusiveMinimum: 0,
    exclusiveMaximum: 1,
    description: "γ: factor of each drop of the exponential schedule",
  }),
  interval: Type.Number({ default: 150, minimum: 1, description: "Steps between drops" }),
  drops: Type.Integer({ default: 3, minimum: 1, description: "Drops of the linear schedule" }),
});

export type BudgetOptions = Static<typeof budgetOptions>;

/**
 * B(t), tokens, not rounded: max(1, B0·γ^⌊t/I⌋), or B0 + (S_f - B0)·min(n, ⌊t/I⌋)/n, or B0.
 * Train Long, Think Short (2508.08940).
 */
export function lengthBudget(step: number, o: BudgetOptions): number {
  const drops = Math.floor(step / o.interval);
  switch (o.schedule) {
    case "linear":
      return o.initialBudget + ((o.finalBudget - o.initialBudget) * Math.min(o.drops, drops)) / o.drops;
    case "constant":
      return o.initialBudget;
    default:
      return Math.max(1, o.initialBudget * o.decay ** drops);
  }
}
