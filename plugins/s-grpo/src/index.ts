import { definePlugin } from "@proximal/core";
import { DecayingReward } from "./reward.js";
import { SerialSampler } from "./sampler.js";

export { decayingRewards } from "./decay.js";
export { DecayingReward } from "./reward.js";
export { SerialSampler } from "./sampler.js";
export { exitPositions, thoughtLength } from "./serial.js";

export default definePlugin({
  slug: "s-grpo",
  title: "S-GRPO: early exit through decaying rewards in serial groups",
  paper: { title: "S-GRPO: Early Exit via Reinforcement Learning in Reasoning Models", year: 2025, arxiv: "2505.07686" },
  provenance: "a third-party note on the paper, an agreeing public implementation and shorter descriptions read; not the paper's body",
  reconstructed: [
    "order of exits at the same position",
    "the loss covers the thought before the exit and the answer, not the exit prompt",
    "longest answer",
  ],
  components: [SerialSampler, DecayingReward],
  algorithms: {
    "s-grpo": {
      description: "Serial groups of early exits, decaying rewards, centred advantages, no KL",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "s-grpo" },
        rewards: [{ use: "s-grpo", inner: [{ use: "exact-match" }] }],
        advantage: { use: "group-normalized", scale: "none", groupOfOne: "zero" },
        gate: { use: "clip" },
      },
    },
  },
});
