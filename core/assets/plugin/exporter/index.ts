import { definePlugin } from "@proximal/core";
import { MySlugExporter } from "./exporter.js";

export { MySlugExporter } from "./exporter.js";

export default definePlugin({
  slug: "my-slug",
  title: "My title",
  provenance: "This package",
  components: [MySlugExporter],
});
