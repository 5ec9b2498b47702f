import { type Static, Type } from "typebox";
import { options, watchdog } from "../../extension/component.js";
import type { StepRecord, Watchdog } from "../../extension/watchdog.js";
import { mean } from "../statistics.js";
import { percent, valuesOf } from "./values.js";

export const rewardDominanceOptions = Type.Object({
  share: Type.Number({ default: 0.95, exclusiveMinimum: 0, description: "Of the reward's variance that one component gives" }),
  window: Type.Integer({ default: 10, minimum: 1, description: "Steps that are averaged" }),
});

const SHARE = "rewardShare.";

@watchdog({
  id: "reward-dominance",
  description: "One of several reward components decides alone which responses are better",
  options: rewardDominanceOptions,
})
export class RewardDominanceWatchdog implements Watchdog {
  constructor(@options() private readonly o: Static<typeof rewardDominanceOptions>) {}

  check(history: readonly StepRecord[]): string | null {
    const { share, window } = this.o;
    const names = Object.keys(history.at(-1)!).filter((name) => name.startsWith(SHARE));
    for (const name of names) {
      const values = valuesOf(history.slice(-window), name);
      if (values.length < window || mean(values) <= share) continue;
      return `the reward "${name.slice(SHARE.length)}" gives ${percent(mean(values))} of the variance of the sum: the others hardly count`;
    }
    return null;
  }
}
