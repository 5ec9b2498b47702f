import { type Static, Type } from "typebox";
import { options, watchdog } from "../../extension/component.js";
import type { StepRecord, Watchdog } from "../../extension/watchdog.js";
import { short } from "./values.js";

export const logpGapOptions = Type.Object({
  mean: Type.Number({ default: 0.02, exclusiveMinimum: 0, description: "Largest accepted mean difference, nats" }),
});

@watchdog({
  id: "logp-gap",
  description: "Sampler and trainer give the same tokens different log-probs before the first update",
  options: logpGapOptions,
})
export class LogpGapWatchdog implements Watchdog {
  constructor(@options() private readonly o: Static<typeof logpGapOptions>) {}

  check(history: readonly StepRecord[]): string | null {
    const { logpGap, logpGapMax } = history.at(-1)!;
    if (typeof logpGap !== "number" || logpGap <= this.o.mean) return null;
    return `log-probs of sampler and trainer differ by ${short(logpGap)} nats on average, ${short(logpGapMax ?? logpGap)} at most: ratios are wrong`;
  }
}
