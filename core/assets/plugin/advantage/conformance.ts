import { defineConformance, runAdvantage } from "@proximal/core";
import { MySlugAdvantage } from "./advantage.js";

export default defineConformance({
  advantage: (options, inputs) => runAdvantage(MySlugAdvantage, options, inputs),
});
