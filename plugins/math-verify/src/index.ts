import { definePlugin } from "@proximal/core";
import { MathVerifyReward } from "./reward.js";

export { extractAnswer } from "./extract.js";
export { type Grade, grade } from "./grade.js";
export { normalize } from "./normalize.js";
export { type MathVerifyOptions, mathVerifyOptions } from "./options.js";
export { MathVerifyReward };

export default definePlugin({
  slug: "math-verify",
  title: "Math answer checking: a verifiable reward",
  provenance:
    "Official code of Math-Verify, TRL and verl was read; the rules are this framework's own reduction of them, without computer algebra.",
  components: [MathVerifyReward],
});
