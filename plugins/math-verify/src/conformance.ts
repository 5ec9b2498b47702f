import { defineConformance, runReward } from "@proximal/core";
import { MathVerifyReward } from "./reward.js";

export default defineConformance({
  reward: (options, inputs) => runReward(MathVerifyReward, options, inputs),
});
