import { definePlugin } from "@proximal/core";
import { MySlugEnvironment } from "./environment.js";

export { MySlugEnvironment } from "./environment.js";

export default definePlugin({
  slug: "my-slug",
  title: "My title",
  provenance: "This package",
  components: [MySlugEnvironment],
  algorithms: {
    "my-slug": {
      description: "My title",
      compose: {
        environment: { use: "my-slug" },
        sampler: { use: "independent" },
        advantage: { use: "group-normalized" },
        gate: { use: "clip" },
      },
    },
  },
});
