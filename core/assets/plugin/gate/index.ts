import { definePlugin } from "@proximal/core";
import { MySlugGate } from "./gate.js";

export { MySlugGate } from "./gate.js";

export default definePlugin({
  slug: "my-slug",
  title: "My title",
  provenance: "Schulman et al. 2017, equation 7",
  components: [MySlugGate],
  algorithms: {
    "my-slug": {
      description: "My title",
      compose: {
        sampler: { use: "independent" },
        advantage: { use: "group-normalized" },
        gate: { use: "my-slug" },
      },
    },
  },
});
