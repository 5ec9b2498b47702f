import { defineConformance, defineExamples, type Inputs, instantiate, type Options } from "@proximal/core";
import { contribution } from "./hypervolume.js";
import { influences } from "./mirror.js";
import { DynamicReward, type DynamicState, weightedSum } from "./reward.js";

const columnsOf = (inputs: Inputs): number[][] => {
  const rows = inputs.rewardComponents as number[][];
  return (rows[0] ?? []).map((_, k) => rows.map((row) => row[k]!));
};

function start(options: Options, inputs: Inputs): { reward: DynamicReward; state: DynamicState } {
  const given = inputs.state as Partial<DynamicState>;
  const { rewardWeights = given.weights } = options;
  const reward = instantiate(DynamicReward, { ...options, ...(rewardWeights === undefined ? {} : { rewardWeights }) });
  return { reward, state: { ...reward.initialState(), ...given } };
}

export default defineConformance({
  "reward/hypervolume": (options, inputs) => {
    const { reward, state } = start(options, inputs);
    const point = inputs.validation as number[];
    const after = reward.validated(state, point);
    return {
      contribution: contribution(state.buffer, point, (options.maximize as boolean[] | undefined) ?? [true, false, true]),
      metaReward: after.meta,
      rewards: weightedSum(columnsOf(inputs), after.weights, after.meta),
      state: after,
    };
  },
  "reward/gradient": (options, inputs) => {
    const { reward, state } = start(options, inputs);
    const influence = influences(inputs.gradients as number[][]);
    const after = reward.moved(state, influence);
    return { influence, state: after, rewards: weightedSum(columnsOf(inputs), after.weights, 1) };
  },
});

export const examples = defineExamples({ inner: ["accuracy", "length", "format"] });
