import { definePlugin } from "@proximal/core";
import { MySlugObjective } from "./objective.js";

export { MySlugObjective } from "./objective.js";

export default definePlugin({
  slug: "my-slug",
  title: "My title",
  provenance: "Williams 1992, equation 11",
  components: [MySlugObjective],
  algorithms: {
    "my-slug": {
      description: "My title",
      compose: {
        sampler: { use: "independent" },
        objective: { use: "my-slug" },
      },
    },
  },
});
