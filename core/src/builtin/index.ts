import type { ComponentClass } from "../extension/component.js";
import { ClipGate } from "./clip-gate.js";
import { EntropyRegularizer } from "./entropy.js";
import { FunctionReward } from "./function-reward.js";
import { GroupNormalizedAdvantage } from "./group-normalized.js";
import { IndependentSampler } from "./group-sampler.js";
import { HttpReward } from "./http-reward.js";
import { KlRegularizer } from "./kl.js";
import { ExactMatchReward, FormatReward, NumericReward } from "./rewards.js";
import { HashedNgrams, OpenAIEmbedder, OpenAIJudge, TokenOverlapJudge } from "./services/index.js";
import { ValueLoss } from "./value-loss.js";
import { watchdogs } from "./watchdogs/index.js";

export * from "./aggregation-options.js";
export * from "./behind-examples.js";
export * from "./clip-gate.js";
export * from "./correct.js";
export * from "./cosine-length.js";
export * from "./draw.js";
export * from "./entropy.js";
export * from "./function-reward.js";
export * from "./gae.js";
export * from "./group-normalized.js";
export * from "./group-sampler.js";
export * from "./half-width.js";
export * from "./http-reward.js";
export * from "./kl.js";
export * from "./pattern.js";
export * from "./rescored.js";
export * from "./rewards.js";
export * from "./round.js";
export * from "./services/index.js";
export * as statistics from "./statistics.js";
export * from "./token-f1.js";
export * from "./value-loss.js";
export * from "./watchdogs/index.js";

/** Components that every run can name without installing a plugin. */
export const builtins: readonly ComponentClass[] = [
  IndependentSampler,
  ExactMatchReward,
  NumericReward,
  FormatReward,
  FunctionReward,
  HttpReward,
  GroupNormalizedAdvantage,
  ClipGate,
  KlRegularizer,
  EntropyRegularizer,
  ValueLoss,
  TokenOverlapJudge,
  OpenAIJudge,
  HashedNgrams,
  OpenAIEmbedder,
  ...watchdogs,
];
