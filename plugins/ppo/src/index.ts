import { type Composition, definePlugin } from "@proximal/core";
import { GaeAdvantage } from "./advantage.js";

export { GaeAdvantage } from "./advantage.js";

const compose = (parts: { advantage: object; gate: object; value: object; epochs: number }): Composition => ({
  sampler: { use: "independent", groupSize: 1, promptsPerStep: 64 },
  advantage: { use: "gae", ...parts.advantage },
  gate: { use: "clip", ...parts.gate },
  regularizers: [{ use: "value", ...parts.value }],
  trainer: { epochs: parts.epochs },
});

export default definePlugin({
  slug: "ppo",
  title: "PPO: Proximal Policy Optimization with GAE and a value head",
  paper: { title: "Proximal Policy Optimization Algorithms", authors: "Schulman et al.", year: 2017, arxiv: "1707.06347" },
  provenance: "TRL and verl implementations read",
  reconstructed: ["unit of the KL controller: KL of a response, horizon in responses"],
  components: [GaeAdvantage],
  algorithms: {
    ppo: {
      description: "TRL's numbers: λ 0.95, k1 KL of weight 0.05 in the reward, value clip 0.2, four epochs",
      aggregation: "token-mean",
      compose: compose({ advantage: {}, gate: {}, value: {}, epochs: 4 }),
    },
    "ppo@verl": {
      description: "verl's numbers: λ 1, dual clip 3, value clip 0.5, one epoch",
      aggregation: "token-mean",
      compose: compose({ advantage: { lambda: 1 }, gate: { dualClip: 3 }, value: { valueClip: 0.5 }, epochs: 1 }),
    },
  },
});
