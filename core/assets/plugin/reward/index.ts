import { definePlugin } from "@proximal/core";
import { MySlugReward } from "./reward.js";

export { MySlugReward } from "./reward.js";

export default definePlugin({
  slug: "my-slug",
  title: "My title",
  provenance: "This package",
  components: [MySlugReward],
  algorithms: {
    "my-slug": {
      description: "My title",
      compose: {
        sampler: { use: "independent" },
        rewards: [{ use: "my-slug" }],
        advantage: { use: "group-normalized" },
        gate: { use: "clip" },
      },
    },
  },
});
