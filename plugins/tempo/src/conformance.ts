import { batchOfCase, defineConformance, instantiate, runAdvantage } from "@proximal/core";
import { TempoAdvantage } from "./advantage.js";

export default defineConformance({
  advantage: async (options, inputs) => {
    const batch = batchOfCase(inputs);
    const prefixValues: number[][] = [];
    for (const [rows, values] of instantiate(TempoAdvantage, options).groupValues(batch)) {
      rows.forEach((row, i) => {
        prefixValues[row] = [...values[i]!];
      });
    }
    return { ...(await runAdvantage(TempoAdvantage, options, inputs)), prefixValues };
  },
});
