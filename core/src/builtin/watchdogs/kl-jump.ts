import { type Static, Type } from "typebox";
import { options, watchdog } from "../../extension/component.js";
import type { StepRecord, Watchdog } from "../../extension/watchdog.js";
import { median } from "../statistics.js";
import { short, valuesOf } from "./values.js";

export const klJumpOptions = Type.Object({
  factor: Type.Number({ default: 10, exclusiveMinimum: 1, description: "Multiple of the median of the steps before" }),
  window: Type.Integer({ default: 20, minimum: 1, description: "Steps that the median is taken over" }),
  minimum: Type.Number({ default: 0.1, minimum: 0, description: "KL that is never a jump, nats a token" }),
});

@watchdog({ id: "kl-jump", description: "KL of the updates is many times what it was", options: klJumpOptions })
export class KlJumpWatchdog implements Watchdog {
  constructor(@options() private readonly o: Static<typeof klJumpOptions>) {}

  check(history: readonly StepRecord[]): string | null {
    const kl = history.at(-1)!.kl;
    const before = valuesOf(history.slice(0, -1), "kl").slice(-this.o.window);
    if (typeof kl !== "number" || kl <= this.o.minimum || before.length < 3) return null;
    const usual = median(before);
    return kl > this.o.factor * usual ? `KL jumped to ${short(kl)} nats a token; the median of the steps before is ${short(usual)}` : null;
  }
}
