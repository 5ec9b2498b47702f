import { defineConformance, defineExamples } from "@proximal/core";

/** A watchdog computes no numbers: there is nothing to compare with vectors. */
export default defineConformance({});

const rewards = (reward: (step: number) => number) => Array.from({ length: 50 }, (_, i) => ({ step: i + 1, reward: reward(i + 1) }));

/** A run that goes well, at which it must be silent in every step, and one that ends in its trouble. */
export const examples = defineExamples({
  histories: {
    "watchdog:my-slug": { quiet: rewards((step) => step / 50), trouble: rewards((step) => Math.min(step, 25) / 50) },
  },
});
