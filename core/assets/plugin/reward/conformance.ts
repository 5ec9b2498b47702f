import { defineConformance, runReward } from "@proximal/core";
import { MySlugReward } from "./reward.js";

export default defineConformance({
  reward: (options, inputs) => runReward(MySlugReward, options, inputs),
});
