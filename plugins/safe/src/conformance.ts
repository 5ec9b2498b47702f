import { completeOptions, defineConformance } from "@proximal/core";
import { SafeAdvantage, whitened } from "./advantage.js";
import { advance, type ControllerOptions, initialController } from "./controller.js";
import { softMin, type ValueLossOptions, valueLoss } from "./critic.js";
import { SafeRegularizer } from "./regularizer.js";
import { including, noRewards, normalized, type RewardStatistics } from "./reward-statistics.js";

export default defineConformance({
  regularizer: (options, inputs) => {
    const o = completeOptions(SafeRegularizer, options) as unknown as ControllerOptions;
    const [kl, entropy, reward] = [inputs.meanKl as number[], inputs.meanEntropy as number[], inputs.meanReward as number[]];
    let state = initialController();
    const calls = kl.map((_, call) => {
      const { state: next, verdict } = advance(state, { kl: kl[call]!, entropy: entropy[call]!, reward: reward[call]! }, o);
      state = next;
      return { ...verdict, klShort: next.klShort, klLong: next.klLong };
    });
    const each = (name: keyof (typeof calls)[number]) => calls.map((call) => call[name]);
    return {
      penalty: each("penalty"),
      threshold: each("threshold"),
      klShort: each("klShort"),
      klLong: each("klLong"),
      entropyFactor: each("entropyFactor"),
      phase: each("phase"),
    };
  },
  // A case gives the outputs of the heads; a run computes them from the policy's states.
  advantage: (options, { rewards, value1, value2, state }) => {
    const { softMinTemperature } = completeOptions(SafeAdvantage, options) as { softMinTemperature: number };
    const raw = Float64Array.from(rewards as number[]);
    const after = including((state as RewardStatistics | undefined) ?? noRewards(), raw);
    const targets = normalized(raw, after);
    const values = (value1 as number[]).map((v1, row) => softMin(v1, (value2 as number[])[row]!, softMinTemperature));
    return { normalizedRewards: [...targets], responseValues: values, advantages: [...whitened(targets, values)], state: after };
  },
  objective: (options, { responseValues, oldResponseValues, normalizedRewards }) => {
    const o = completeOptions(SafeAdvantage, options) as unknown as ValueLossOptions;
    const [now, old, targets] = [responseValues, oldResponseValues, normalizedRewards] as number[][];
    const { loss, gradient } = valueLoss(now!, old!, targets!, o);
    return { loss, gradResponseValues: [...gradient] };
  },
});
