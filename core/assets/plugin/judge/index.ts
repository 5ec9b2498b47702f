import { definePlugin } from "@proximal/core";
import { MySlugJudge } from "./judge.js";
import { MySlugReward } from "./reward.js";

export { MySlugJudge } from "./judge.js";
export { MySlugReward } from "./reward.js";

export default definePlugin({
  slug: "my-slug",
  title: "My title",
  provenance: "This package",
  components: [MySlugJudge, MySlugReward],
  algorithms: {
    "my-slug": {
      description: "My title",
      compose: {
        sampler: { use: "independent" },
        judge: { use: "my-slug" },
        rewards: [{ use: "my-slug" }],
        advantage: { use: "group-normalized" },
        gate: { use: "clip" },
      },
    },
  },
});
