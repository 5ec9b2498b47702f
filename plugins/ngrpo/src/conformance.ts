import { clipTerms, defineConformance, runAdvantage, runTerms } from "@proximal/core";
import { NgrpoAdvantage } from "./advantage.js";
import { asymmetricClip } from "./index.js";

export default defineConformance({
  advantage: (options, inputs) => runAdvantage(NgrpoAdvantage, options, inputs),
  gate: (options, inputs) => runTerms(clipTerms(options, { ...asymmetricClip, aggregation: "token-mean" }), inputs),
});
