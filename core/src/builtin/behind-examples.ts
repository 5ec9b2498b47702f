import { DataError } from "../errors.js";
import type { PromptSource } from "../extension/points.js";
import type { Prompt } from "../rollout/index.js";

/** The prompt with as many of the texts in front of it, first ones first, as the context and the tokenizer take; null when not even one fits. */
export function behindExamples(base: Prompt, examples: readonly string[], prompts: Pick<PromptSource, "derive">): Prompt | null {
  for (let count = examples.length; count > 0; count--) {
    try {
      return prompts.derive(base, [...examples.slice(0, count), base.text].join(""));
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
    }
  }
  return null;
}
