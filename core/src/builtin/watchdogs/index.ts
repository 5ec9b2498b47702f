import type { ComponentClass } from "../../extension/component.js";
import type { Watchdog } from "../../extension/watchdog.js";
import { EmptyBatchWatchdog } from "./empty-batch.js";
import { EntropyCollapseWatchdog } from "./entropy-collapse.js";
import { KlJumpWatchdog } from "./kl-jump.js";
import { LengthDriftWatchdog } from "./length-drift.js";
import { LogpGapWatchdog } from "./logp-gap.js";
import { NonFiniteWatchdog } from "./non-finite.js";
import { RewardDominanceWatchdog } from "./reward-dominance.js";
import { UnchangedWeightsWatchdog } from "./unchanged-weights.js";
import { ZeroVarianceWatchdog } from "./zero-variance.js";

/** Watchdogs that every run can name. */
export const watchdogs: readonly ComponentClass<Watchdog>[] = [
  NonFiniteWatchdog,
  KlJumpWatchdog,
  EntropyCollapseWatchdog,
  LengthDriftWatchdog,
  ZeroVarianceWatchdog,
  RewardDominanceWatchdog,
  LogpGapWatchdog,
  UnchangedWeightsWatchdog,
  EmptyBatchWatchdog,
];
