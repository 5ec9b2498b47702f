import { watchdog } from "../../extension/component.js";
import type { StepRecord, Watchdog } from "../../extension/watchdog.js";

@watchdog({ id: "unchanged-weights", description: "An update was made and no parameter changed" })
export class UnchangedWeightsWatchdog implements Watchdog {
  check(history: readonly StepRecord[]): string | null {
    const { weightsChanged, updates, skipped, gradNorm, learningRate } = history.at(-1)!;
    const isUpdated = (updates ?? 0) > (skipped ?? 0) && (gradNorm ?? 0) > 0 && (learningRate ?? 0) > 0;
    return isUpdated && weightsChanged === 0
      ? "the update changed no parameter: the learning rate may be too small for their precision"
      : null;
  }
}
