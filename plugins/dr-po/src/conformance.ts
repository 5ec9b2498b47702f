import { completeOptions, defineConformance, runAdvantage, runTerms } from "@proximal/core";
import { DrPoAdvantage } from "./advantage.js";
import { DrPoGate } from "./gate.js";
import { rollinLength } from "./rollin.js";
import { DrPoSampler, ROLLIN } from "./sampler.js";

export default defineConformance({
  sampler: (options, inputs) => {
    const { resetProbability } = completeOptions(DrPoSampler, options) as { resetProbability: number };
    const [mix, position] = [inputs.mixDraw as number[], inputs.positionDraw as number[]];
    const lengths = (inputs.referenceLength as number[]).map((H, i) => rollinLength(H, mix[i]!, position[i]!, resetProbability));
    return { reset: lengths.map((length) => length > 0), rollinLength: lengths };
  },
  gate: (options, { rollinLength: lengths, ...inputs }) => {
    const rollin = (inputs.logp as number[][]).map((row, i) => row.map((_, t) => Number(t < (lengths as number[])[i]!)));
    return runTerms({ component: DrPoGate, options }, { ...inputs, rollin }, { specs: { rollin: ROLLIN } });
  },
  // Log-probs and values of a case are those of the rollout.
  advantage: (options, { logp, values, ...inputs }) =>
    runAdvantage(DrPoAdvantage, options, { ...inputs, oldLogp: logp, oldValues: values }),
});
