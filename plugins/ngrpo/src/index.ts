import { definePlugin } from "@proximal/core";
import { NgrpoAdvantage } from "./advantage.js";

export { NgrpoAdvantage } from "./advantage.js";

/** Negative advantages bind at 1 - clipLow, positive ones at 1 + clipHigh: the push on failures gets the tighter bound. */
export const asymmetricClip = { clipLow: 0.16, clipHigh: 0.24 };

export default definePlugin({
  slug: "ngrpo",
  title: "NGRPO: Negative-enhanced Group Relative Policy Optimization",
  paper: { title: "NGRPO: Negative-enhanced Group Relative Policy Optimization", year: 2025, arxiv: "2509.18851" },
  provenance: "official code read (advantage, loss, training script)",
  components: [NgrpoAdvantage],
  algorithms: {
    ngrpo: {
      description: "A virtual best response in every group lets failed groups push; tighter clip for negative advantages",
      aggregation: "token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 8 },
        advantage: { use: "ngrpo" },
        gate: { use: "clip", ...asymmetricClip },
      },
    },
  },
});
