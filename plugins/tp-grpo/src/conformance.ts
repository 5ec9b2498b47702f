import { defineConformance, defineExamples, runAdvantage } from "@proximal/core";
import { TpAdvantage } from "./advantage.js";
import type { Label, Span } from "./thoughts.js";

const total = (spans: readonly Span[]): number => spans.reduce((sum, { length }) => sum + length, 0);

export default defineConformance({
  // The tokens themselves do not matter: their number is that of the steps.
  advantage: (options, inputs) => {
    const tokens = (inputs.steps as Span[][]).map((steps) => new Array<number>(total(steps)).fill(0));
    return runAdvantage(TpAdvantage, options, { tokens, ...inputs }, { specs: { steps: { at: "row", dtype: "json" } } });
  },
});

const LABELS: readonly Label[] = ["correct", "incorrect", "uncertain", "matched"];

export const examples = defineExamples({
  columns: (batch, random) => ({
    steps: Array.from(batch.lengths, (length): Span[] =>
      Array.from({ length }, () => ({ label: LABELS[random.integer(LABELS.length)]!, length: 1 })),
    ),
  }),
});
