import { type Static, Type } from "typebox";
import { options, watchdog } from "../../extension/component.js";
import type { StepRecord, Watchdog } from "../../extension/watchdog.js";
import { mean } from "../statistics.js";
import { short, startOf, valuesOf } from "./values.js";

export const lengthDriftOptions = Type.Object({
  factor: Type.Number({ default: 2, exclusiveMinimum: 1, description: "Longer or shorter than at the beginning by this factor" }),
  window: Type.Integer({ default: 10, minimum: 1, description: "Steps of the beginning, and of now, that are averaged" }),
});

@watchdog({ id: "length-drift", description: "Responses became much longer or shorter", options: lengthDriftOptions })
export class LengthDriftWatchdog implements Watchdog {
  constructor(@options() private readonly o: Static<typeof lengthDriftOptions>) {}

  check(history: readonly StepRecord[]): string | null {
    const { factor, window } = this.o;
    const values = valuesOf(history, "length");
    const start = startOf(values, window);
    if (start === null || start <= 0) return null;
    const now = mean(values.slice(-window));
    if (now <= factor * start && now >= start / factor) return null;
    return `responses have ${short(now)} tokens on average; they began with ${short(start)}`;
  }
}
