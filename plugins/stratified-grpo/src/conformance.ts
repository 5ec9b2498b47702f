import { defineConformance, runAdvantage } from "@proximal/core";
import { StratifiedAdvantage } from "./advantage.js";

export default defineConformance({
  advantage: (options, inputs) => runAdvantage(StratifiedAdvantage, options, inputs, { specs: { stratum: { at: "row", dtype: "i32" } } }),
});
