import { Batch, completeOptions, defineConformance } from "@proximal/core";
import { ProgrpoAdvantage, type ProgrpoOptions, reweighted } from "./advantage.js";
import { lowProbabilityConfidence } from "./confidence.js";

export default defineConformance({
  // A case gives the prompts' log-probs; a run asks the policy for them.
  advantage: (options, { rewards, group, oldLogp, promptLogp }) => {
    const o = completeOptions(ProgrpoAdvantage, options) as ProgrpoOptions;
    const confidences = (logp: unknown) => (logp as number[][]).map((row) => lowProbabilityConfidence(row, o.lowFraction));
    const [prompt, answer] = [confidences(promptLogp), confidences(oldLogp)];
    const ids = (group as number[] | undefined) ?? answer.map(() => 0);
    const { groupRows } = new Batch({ lengths: ids.map(() => 1), group: ids });
    const advantages = reweighted(Float64Array.from(rewards as number[]), groupRows, { prompt, answer }, o);
    return { advantages: [...advantages], promptConfidence: prompt, answerConfidence: answer };
  },
});
