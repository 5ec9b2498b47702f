import type { Algorithm, Composition } from "@proximal/core";

interface Conventions {
  stdEps: number;
  ddof?: 0 | 1;
  scale?: "group" | "batch" | "none";
  groupOfOne?: "zero" | "raw" | "raw-scaled";
  /** Weight of the k3 penalty; left out of the loss at 0. */
  klCoef?: number;
  aggregation?: string;
  /** Half-width of the clip on both sides; null = no clip. */
  clip?: number | null;
  /** Ceiling of the ratio for negative advantages. */
  dualClip?: number;
  /** Largest k3 of a token. */
  klCap?: number;
  /** Weight of the KL to the reference as a reward of each token. */
  klInReward?: number;
  /** Another gate than the clip. */
  gate?: Composition["gate"];
}

function grpo(description: string, o: Conventions): Algorithm {
  const { stdEps, ddof = 1, scale = "group", groupOfOne = "zero", klCoef = 0, aggregation = "seq-mean-token-mean" } = o;
  const { clip = 0.2, dualClip, klCap, klInReward } = o;
  const compose: Composition = {
    sampler: { use: "independent", groupSize: 8 },
    advantage: {
      use: "group-normalized",
      scale,
      ddof,
      stdEps,
      groupOfOne,
      ...(klInReward === undefined ? {} : { klCoef: klInReward }),
    },
    gate: o.gate ?? { use: "clip", clipLow: clip, clipHigh: clip, ...(dualClip === undefined ? {} : { dualClip }) },
    regularizers: klCoef > 0 ? [{ use: "kl", klEstimator: "k3", ...(klCap === undefined ? {} : { klCap }), coefficient: klCoef }] : [],
  };
  return { description, aggregation, compose };
}

/** The same method with the numbers that each project uses: std kind and guard, clip, KL weight, loss mean, group of one. */
export const presets: Readonly<Record<string, Algorithm>> = {
  grpo: grpo("Group-normalised rewards, clipped token ratios, no KL term", { stdEps: 1e-6 }),
  "grpo@paper": grpo("As published: k3 KL of weight 0.04 to the reference", { stdEps: 1e-6, klCoef: 0.04 }),
  "grpo@trl": grpo('TRL 1.13: std guard 1e-4, no KL, token mean (its loss_type "dapo", the default)', {
    stdEps: 1e-4,
    aggregation: "token-mean",
  }),
  "grpo@verl": grpo(
    "verl: std guard 1e-6, dual clip 3, k3 KL of weight 0.001 and at most 10, token mean, a group of one keeps its reward",
    {
      stdEps: 1e-6,
      klCoef: 0.001,
      klCap: 10,
      dualClip: 3,
      aggregation: "token-mean",
      groupOfOne: "raw-scaled",
    },
  ),
  "grpo@skyrl": grpo("SkyRL: std guard 1e-6, k3 KL of weight 0.001 and at most 10, token mean, a group of one keeps its reward", {
    stdEps: 1e-6,
    klCoef: 0.001,
    klCap: 10,
    aggregation: "token-mean",
    groupOfOne: "raw-scaled",
  }),
  "grpo@openrlhf": grpo("OpenRLHF: std guard 1e-9, token mean, KL of weight 0.01 in the reward of each token", {
    stdEps: 1e-9,
    klInReward: 0.01,
    aggregation: "token-mean",
  }),
  "grpo@prime-rl": grpo("prime-rl: centred rewards without a std, token mean, tokens whose probability moved by 0.2 are dropped", {
    stdEps: 0,
    scale: "none",
    gate: { use: "dppo", maskLow: 0.2, maskHigh: 0.2, driftCoef: 1e-3 },
    aggregation: "token-mean",
  }),
  "grpo@tinker": grpo("tinker-cookbook: centred rewards without a std, importance sampling without a clip, token sum", {
    stdEps: 0,
    scale: "none",
    clip: null,
    aggregation: "token-sum",
  }),
};
