import { definePlugin } from "@proximal/core";
import { MySlugWatchdog } from "./watchdog.js";

export { MySlugWatchdog } from "./watchdog.js";

export default definePlugin({
  slug: "my-slug",
  title: "My title",
  provenance: "This package",
  components: [MySlugWatchdog],
});
