import { definePlugin } from "@proximal/core";
import { MySlugAdvantage } from "./advantage.js";

export { MySlugAdvantage } from "./advantage.js";

export default definePlugin({
  slug: "my-slug",
  title: "My title",
  provenance: "Ahmadian et al. 2024 (RLOO)",
  components: [MySlugAdvantage],
  algorithms: {
    "my-slug": {
      description: "My title",
      compose: {
        sampler: { use: "independent" },
        advantage: { use: "my-slug" },
        gate: { use: "clip" },
      },
    },
  },
});
