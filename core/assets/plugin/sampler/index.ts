import { definePlugin } from "@proximal/core";
import { MySlugSampler } from "./sampler.js";

export { MySlugSampler } from "./sampler.js";

export default definePlugin({
  slug: "my-slug",
  title: "My title",
  provenance: "DAPO, equation 11, without drawing further groups",
  components: [MySlugSampler],
  algorithms: {
    "my-slug": {
      description: "My title",
      compose: {
        sampler: { use: "my-slug" },
        advantage: { use: "group-normalized" },
        gate: { use: "clip" },
      },
    },
  },
});
