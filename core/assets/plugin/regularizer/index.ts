import { definePlugin } from "@proximal/core";
import { MySlugRegularizer } from "./regularizer.js";

export { MySlugRegularizer } from "./regularizer.js";

export default definePlugin({
  slug: "my-slug",
  title: "My title",
  provenance: "Schulman, “Approximating KL Divergence”, 2020",
  components: [MySlugRegularizer],
  algorithms: {
    "my-slug": {
      description: "My title",
      compose: {
        sampler: { use: "independent" },
        advantage: { use: "group-normalized" },
        gate: { use: "clip" },
        regularizers: [{ use: "my-slug", coefficient: 0.01 }],
      },
    },
  },
});
