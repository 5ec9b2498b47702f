import { definePlugin } from "@proximal/core";
import { MySlugEmbedder } from "./embedder.js";
import { MySlugReward } from "./reward.js";

export { MySlugEmbedder } from "./embedder.js";
export { MySlugReward } from "./reward.js";

export default definePlugin({
  slug: "my-slug",
  title: "My title",
  provenance: "This package",
  components: [MySlugEmbedder, MySlugReward],
  algorithms: {
    "my-slug": {
      description: "My title",
      compose: {
        sampler: { use: "independent" },
        embed: { use: "my-slug" },
        rewards: [{ use: "my-slug" }],
        advantage: { use: "group-normalized" },
        gate: { use: "clip" },
      },
    },
  },
});
