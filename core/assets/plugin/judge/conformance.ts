import { defineConformance, instantiate, runReward } from "@proximal/core";
import { MySlugJudge } from "./judge.js";
import { MySlugReward } from "./reward.js";

export default defineConformance({
  reward: (options, inputs) => {
    const judge = instantiate(MySlugJudge, options);
    return runReward(MySlugReward, {}, inputs, { services: { judge: (requests) => judge.grade(requests) } });
  },
});
