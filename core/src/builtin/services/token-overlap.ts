import { judge } from "../../extension/component.js";
import type { JudgeModel, JudgeRequest } from "../../extension/services.js";
import { tokenF1 } from "../token-f1.js";

/** Words, single digits and single signs, lower case. */
const tokensOf = (text: string): string[] => text.toLowerCase().match(/\p{L}+|\p{N}|[^\s\p{L}\p{N}]/gu) ?? [];

/** Share of the distinct tokens of `text` that `of` holds too; 1 when there are none. */
function coverage(text: readonly string[], of: readonly string[]): number {
  const wanted = new Set(text);
  const given = new Set(of);
  return wanted.size === 0 ? 1 : [...wanted].filter((token) => given.has(token)).length / wanted.size;
}

/**
 * A rule, not a model: with references the token F1 against the nearest one, without any the share of the prompt's distinct
 * tokens that the completion takes up. It cannot read a rubric.
 */
@judge({ id: "token-overlap", description: "A rule, not a model: tokens in common with the references, else with the prompt" })
export class TokenOverlapJudge implements JudgeModel {
  async grade(requests: readonly JudgeRequest[]): Promise<number[]> {
    return requests.map(({ prompt, completion, references = [] }) => {
      const given = tokensOf(completion);
      if (references.length === 0) return coverage(tokensOf(prompt), given);
      return Math.max(...references.map((reference) => tokenF1(given, tokensOf(reference))));
    });
  }
}
