import { type Static, Type } from "typebox";
import { options, watchdog } from "../../extension/component.js";
import type { StepRecord, Watchdog } from "../../extension/watchdog.js";
import { heldFor } from "./values.js";

export const emptyBatchOptions = Type.Object({
  steps: Type.Integer({ default: 3, minimum: 1, description: "Steps in a row" }),
});

@watchdog({ id: "empty-batch", description: "Filters leave no response to train on", options: emptyBatchOptions })
export class EmptyBatchWatchdog implements Watchdog {
  constructor(@options() private readonly o: Static<typeof emptyBatchOptions>) {}

  check(history: readonly StepRecord[]): string | null {
    const { steps } = this.o;
    if (!heldFor(history, steps, ({ updates }) => updates === 0)) return null;
    return `no response was left to train on, ${steps} steps in a row: the filters are too strict, or rewards are missing`;
  }
}
