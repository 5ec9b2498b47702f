import type { StepRecord } from "@proximal/core";

type History = readonly StepRecord[];

/** `count` steps whose metrics are given by step, from 1. */
const steps = (count: number, values: (step: number) => Omit<StepRecord, "step">): History =>
  Array.from({ length: count }, (_, i) => ({ step: i + 1, ...values(i + 1) }));

const last = (count: number, usual: Omit<StepRecord, "step">, trouble: Omit<StepRecord, "step">): History =>
  steps(count, (step) => (step === count ? { ...usual, ...trouble } : usual));

const update = { updates: 1, skipped: 0, gradNorm: 0.4, learningRate: 1e-5, weightsChanged: 0.9 };

/** By watchdog of core: a run that goes well, and one that ends in its trouble. */
export const histories: Readonly<Record<string, { quiet: History; trouble: History }>> = {
  "watchdog:non-finite": { quiet: steps(5, () => update), trouble: last(5, update, { skipped: 1 }) },
  "watchdog:kl-jump": {
    quiet: steps(10, (step) => ({ kl: 0.05 + 0.01 * step })),
    trouble: last(10, { kl: 0.05 }, { kl: 0.6 }),
  },
  "watchdog:entropy-collapse": {
    quiet: steps(20, (step) => ({ entropy: 1 - 0.04 * step, reward: 0.5 })),
    trouble: steps(20, (step) => ({ entropy: 0.5 ** step, reward: 0.5 })),
  },
  "watchdog:length-drift": {
    quiet: steps(30, (step) => ({ length: 40 + step })),
    trouble: steps(30, (step) => ({ length: 40 * 1.1 ** step })),
  },
  "watchdog:zero-variance": {
    quiet: steps(10, (step) => ({ fracZeroStd: step % 4 === 0 ? 0.5 : 1, reward: 0.2 })),
    trouble: steps(10, (step) => ({ fracZeroStd: step > 5 ? 1 : 0.3, reward: 0.9 })),
  },
  "watchdog:reward-dominance": {
    quiet: steps(15, () => ({ "rewardShare.right": 0.7, "rewardShare.format": 0.3 })),
    trouble: steps(15, () => ({ "rewardShare.right": 0.99, "rewardShare.format": 0.01 })),
  },
  "watchdog:logp-gap": {
    quiet: steps(5, () => ({ logpGap: 1e-4, logpGapMax: 0.05 })),
    trouble: last(5, { logpGap: 1e-4 }, { logpGap: 0.05 }),
  },
  "watchdog:unchanged-weights": { quiet: steps(5, () => update), trouble: last(5, update, { weightsChanged: 0 }) },
  "watchdog:empty-batch": {
    quiet: steps(9, (step) => ({ updates: step % 3 === 0 ? 1 : 0 })),
    trouble: steps(5, (step) => ({ updates: step > 2 ? 0 : 1 })),
  },
};
