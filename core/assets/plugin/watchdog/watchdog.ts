import { options, type Static, type StepRecord, Type, type Watchdog, watchdog } from "@proximal/core";

const watchdogOptions = Type.Object({
  window: Type.Integer({ default: 20, minimum: 1, description: "Steps in which the best reward has to rise" }),
});

const bestOf = (rewards: readonly number[]): number => Math.max(...rewards);

/** Barks when the best mean reward of the last `window` steps is no better than the best before them. */
@watchdog({ id: "my-slug", description: "The reward no longer rises", options: watchdogOptions })
export class MySlugWatchdog implements Watchdog {
  constructor(@options() private readonly o: Static<typeof watchdogOptions>) {}

  check(history: readonly StepRecord[]): string | null {
    const rewards = history.map(({ reward }) => reward).filter((reward) => typeof reward === "number");
    const before = rewards.slice(0, -this.o.window);
    if (before.length === 0) return null;
    const now = bestOf(rewards.slice(-this.o.window));
    return now > bestOf(before) ? null : `no step of the last ${this.o.window} had a better reward than ${bestOf(before)}`;
  }
}
