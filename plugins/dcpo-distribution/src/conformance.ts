import { completeOptions, defineConformance, runAdvantage } from "@proximal/core";
import { DcpoAdvantage } from "./advantage.js";
import { initialState } from "./state.js";
import { type TargetOptions, targetTemperature, temperedLogp } from "./target.js";

const stateOf = (given: unknown) => ({ ...initialState(), ...(given as { entropy: number } | undefined) });

export default defineConformance({
  advantage: async (options, { state, targetLogp, ...inputs }) => {
    const services = { scoreTokens: async () => Float64Array.from((targetLogp as number[][]).flat()) };
    const { advantages, metrics } = await runAdvantage(DcpoAdvantage, options, inputs, { state: stateOf(state), services });
    return { advantages, mix: (metrics as { mix: number }).mix };
  },
  "regularizer/temperature": (options, { state }) => ({
    temperature: targetTemperature(stateOf(state).entropy, completeOptions(DcpoAdvantage, options) as unknown as TargetOptions),
  }),
  "regularizer/tempered-logp": (_, { tokenLogits, tokens, temperature }) => ({
    targetLogp: (tokenLogits as number[][][]).map((row, i) =>
      row.map((logits, t) => temperedLogp(logits, (tokens as number[][])[i]![t]!, Number(temperature))),
    ),
  }),
});
