import { batchOfCase, defineConformance, type Inputs, instantiate, type Options, runAdvantage } from "@proximal/core";
import { VotingAdvantage } from "./advantage.js";
import { EvolReward } from "./reward.js";

function scored({ noveltyMix }: Options, inputs: Inputs) {
  const reward = instantiate(EvolReward, noveltyMix === undefined ? {} : { noveltyMix });
  const batch = batchOfCase({ answers: inputs.answers, group: inputs.group });
  return reward.rewards(batch, inputs.answers as (string | null)[], inputs.embeddings as number[][]);
}

export default defineConformance({
  reward: (options, inputs) => scored(options, inputs),
  advantage: ({ stdEps, ...options }, inputs) =>
    runAdvantage(VotingAdvantage, stdEps === undefined ? {} : { stdEps }, {
      rewards: [...scored(options, inputs).rewards],
      group: inputs.group,
    }),
});
