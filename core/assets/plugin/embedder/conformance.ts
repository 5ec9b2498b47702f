import { defineConformance, instantiate, runReward } from "@proximal/core";
import { MySlugEmbedder } from "./embedder.js";
import { MySlugReward } from "./reward.js";

export default defineConformance({
  reward: (options, inputs) => {
    const embedder = instantiate(MySlugEmbedder, options);
    return runReward(MySlugReward, {}, inputs, { services: { embed: (texts) => embedder.embed(texts) } });
  },
});
