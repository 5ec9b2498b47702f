import { definePlugin } from "@proximal/core";
import { ExtendedGae } from "./advantage.js";
import { WindowGate } from "./gate.js";
import { WindowSampler } from "./sampler.js";
import { FinishedValueLoss } from "./value-loss.js";

export { ExtendedGae } from "./advantage.js";
export { WindowGate } from "./gate.js";
export { WindowSampler } from "./sampler.js";
export { FinishedValueLoss } from "./value-loss.js";

export default definePlugin({
  slug: "t-ppo",
  title: "T-PPO: Truncated Proximal Policy Optimization",
  paper: { title: "Truncated Proximal Policy Optimization", authors: "Fan et al.", year: 2025, arxiv: "2506.15050" },
  provenance: "abstract, public reviews and two digests read; no code found",
  reconstructed: ["formulas of EGAE, token sets and losses, from the statements of the digests", "lambda, tailDrop and the clip widths"],
  components: [WindowSampler, ExtendedGae, WindowGate, FinishedValueLoss],
  algorithms: {
    "t-ppo": {
      description: "PPO on windows of unfinished responses: every step trains on its new tokens, values learn from finished responses",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "t-ppo" },
        advantage: { use: "t-ppo" },
        gate: { use: "t-ppo" },
        regularizers: [{ use: "t-ppo-value" }],
      },
    },
  },
});
