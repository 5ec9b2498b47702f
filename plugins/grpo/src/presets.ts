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
}

function grpo(description: string, o: Conventions): Algorithm {
  const { stdEps, ddof = 1, scale = "group", groupOfOne = "zero", klCoef = 0, aggregation = "seq-mean-token-mean" } = o;
  const { clip = 0.2, dualClip } = o;
  const compose: Composition = {
    sampler: { use: "independent", groupSize: 8 },
    advantage: { use: "group-normalized", scale, ddof, stdEps, groupOfOne },
    gate: { use: "clip", clipLow: clip, clipHigh: clip, ...(dualClip === undefined ? {} : { dualClip }) },
    regularizers: klCoef > 0 ? [{ use: "kl", klEstimator: "k3", coefficient: klCoef }] : [],
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
  "grpo@verl": grpo("verl: std guard 1e-6, dual clip 3, k3 KL of weight 0.001, token mean, a group of one keeps its reward", {
    stdEps: 1e-6,
    klCoef: 0.001,
    dualClip: 3,
    aggregation: "token-mean",
    groupOfOne: "raw-scaled",
  }),
  "grpo@skyrl": grpo("SkyRL: std guard 1e-6, k3 KL of weight 0.001, token mean, a group of one keeps its reward", {
    stdEps: 1e-6,
    klCoef: 0.001,
    aggregation: "token-mean",
    groupOfOne: "raw-scaled",
  }),
  "grpo@openrlhf": grpo("OpenRLHF: std guard 1e-9, token mean; its KL in the reward is left out", {
    stdEps: 1e-9,
    aggregation: "token-mean",
  }),
  "grpo@prime-rl": grpo("prime-rl: centred rewards without a std, token mean; clipped here where prime-rl masks by the ratio", {
    stdEps: 0,
    scale: "none",
    aggregation: "token-mean",
  }),
  "grpo@tinker": grpo("tinker-cookbook: centred rewards without a std, importance sampling without a clip, token sum", {
    stdEps: 0,
    scale: "none",
    clip: null,
    aggregation: "token-sum",
  }),
};
