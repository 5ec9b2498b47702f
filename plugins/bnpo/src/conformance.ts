import { batchOfCase, defineConformance, instantiate, type Options, runAdvantage } from "@proximal/core";
import { BnpoAdvantage } from "./advantage.js";

const decomposed = (options: Options): Options => ({ ...options, decompose: true });

export default defineConformance({
  "advantage/total": async (options, inputs) => {
    const { alpha, beta } = instantiate(BnpoAdvantage, options).components(batchOfCase(inputs))[0]!;
    return { ...(await runAdvantage(BnpoAdvantage, options, inputs)), alpha, beta };
  },
  "advantage/components": (options, inputs) => runAdvantage(BnpoAdvantage, decomposed(options), inputs),
});
