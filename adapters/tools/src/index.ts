import { definePlugin } from "@proximal/core";
import { CodeTestsReward } from "./code-tests.js";
import { ToolsEnvironment } from "./environment.js";

export { calculate, shown } from "./calculator.js";
export { type CodeTest, CodeTestsReward, passedShare, sameValue } from "./code-tests.js";
export { Collection, type Document, readDocuments } from "./collection.js";
export { type ToolState, ToolsEnvironment } from "./environment.js";

export default definePlugin({
  slug: "tools",
  title: "Tools: calculator, search over a text collection, code in a sandbox",
  provenance: "no paper: parts that several methods use",
  components: [ToolsEnvironment, CodeTestsReward],
});
