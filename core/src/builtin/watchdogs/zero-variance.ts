import { type Static, Type } from "typebox";
import { options, watchdog } from "../../extension/component.js";
import type { StepRecord, Watchdog } from "../../extension/watchdog.js";
import { heldFor, percent } from "./values.js";

export const zeroVarianceOptions = Type.Object({
  share: Type.Number({ default: 0.95, exclusiveMinimum: 0, maximum: 1, description: "Of the groups whose rewards are all equal" }),
  steps: Type.Integer({ default: 5, minimum: 1, description: "Steps in a row" }),
});

@watchdog({
  id: "zero-variance",
  description: "Hardly any group has different rewards: nothing is learned from them",
  options: zeroVarianceOptions,
})
export class ZeroVarianceWatchdog implements Watchdog {
  constructor(@options() private readonly o: Static<typeof zeroVarianceOptions>) {}

  check(history: readonly StepRecord[]): string | null {
    const { share, steps } = this.o;
    if (!heldFor(history, steps, ({ fracZeroStd }) => typeof fracZeroStd === "number" && fracZeroStd >= share)) return null;
    const { fracZeroStd, reward } = history.at(-1)!;
    const cause =
      typeof reward !== "number"
        ? ""
        : reward > 0.5
          ? ": the prompts may be too easy"
          : ": the prompts may be too hard, or the reward is blind";
    return `${percent(fracZeroStd!)} of the groups have equal rewards, ${steps} steps in a row${cause}`;
  }
}
