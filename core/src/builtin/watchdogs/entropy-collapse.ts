import { type Static, Type } from "typebox";
import { options, watchdog } from "../../extension/component.js";
import type { StepRecord, Watchdog } from "../../extension/watchdog.js";
import { mean } from "../statistics.js";
import { percent, short, startOf, valuesOf } from "./values.js";

export const entropyCollapseOptions = Type.Object({
  share: Type.Number({ default: 0.1, exclusiveMinimum: 0, exclusiveMaximum: 1, description: "Of the entropy that the run began with" }),
  window: Type.Integer({ default: 5, minimum: 1, description: "Steps of the beginning, and of now, that are averaged" }),
  rewardBelow: Type.Number({
    default: 0.9,
    description: "Mean reward above which low entropy is no alarm: a solved task needs no exploration",
  }),
});

@watchdog({
  id: "entropy-collapse",
  description: "The policy hardly explores any more although the task is not solved",
  options: entropyCollapseOptions,
})
export class EntropyCollapseWatchdog implements Watchdog {
  constructor(@options() private readonly o: Static<typeof entropyCollapseOptions>) {}

  check(history: readonly StepRecord[]): string | null {
    const { share, window, rewardBelow } = this.o;
    const name = history.at(-1)!.entropy === undefined ? "entropyEstimate" : "entropy";
    const values = valuesOf(history, name);
    const start = startOf(values, window);
    if (start === null || start <= 0) return null;
    const now = mean(values.slice(-window));
    const reward = valuesOf(history.slice(-window), "reward");
    if (now >= share * start || (reward.length > 0 && mean(reward) >= rewardBelow)) return null;
    return `entropy fell to ${short(now)} nats a token, ${percent(now / start)} of what it was at the beginning`;
  }
}
