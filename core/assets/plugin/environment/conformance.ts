import { defineConformance, defineExamples } from "@proximal/core";

/** An environment computes no numbers: there is nothing to compare with vectors. */
export default defineConformance({});

/** Turns of an episode for the checks, which add odd ones of their own. */
export const examples = defineExamples({ turns: ["17", "4"] });
