import { watchdog } from "../../extension/component.js";
import type { StepRecord, Watchdog } from "../../extension/watchdog.js";

@watchdog({ id: "non-finite", description: "An update was skipped because its loss or gradient was not finite" })
export class NonFiniteWatchdog implements Watchdog {
  check(history: readonly StepRecord[]): string | null {
    const { skipped, updates } = history.at(-1)!;
    return skipped ? `${skipped} of ${updates} updates skipped: loss or gradient is not finite` : null;
  }
}
