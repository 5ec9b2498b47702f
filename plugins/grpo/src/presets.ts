import type { Algorithm, Composition } from "@proximal/core";

interface Conventions {
  stdEps: number;
  ddof?: 0 | 1;
  scale?: "group" | "batch" | "none";
  groupOfOne?: "zero" | "raw" | "raw-scaled";
  /** Weight of the k3 penalty; left out of the loss at 0. */
  klCoef?: number;
  aggregation?: string;
}

function grpo(description: string, o: Conventions): Algorithm {
  const { stdEps, ddof = 1, scale = "group", groupOfOne = "zero", klCoef = 0, aggregation = "seq-mean-token-mean" } = o;
  const compose: Composition = {
    sampler: { use: "independent", groupSize: 8 },
    advantage: { use: "group-normalized", scale, ddof, stdEps, groupOfOne },
    gate: { use: "clip", clipLow: 0.2, clipHigh: 0.2 },
    regularizers: klCoef > 0 ? [{ use: "kl", klEstimator: "k3", coefficient: klCoef }] : [],
  };
  return { description, aggregation, compose };
}

/** The same method with the numbers that each project uses: std kind and guard, KL weight, loss mean, group of one. */
export const presets: Readonly<Record<string, Algorithm>> = {
  grpo: grpo("Group-normalised rewards, clipped token ratios, no KL term", { stdEps: 1e-6 }),
  "grpo@paper": grpo("As published: k3 KL of weight 0.04 to the reference", { stdEps: 1e-6, klCoef: 0.04 }),
  "grpo@trl": grpo("TRL's GRPOTrainer: std guard 1e-4, no KL", { stdEps: 1e-4 }),
  "grpo@verl": grpo("verl: std guard 1e-6, k3 KL of weight 0.001, token mean, a group of one keeps its reward", {
    stdEps: 1e-6,
    klCoef: 0.001,
    aggregation: "token-mean",
    groupOfOne: "raw-scaled",
  }),
  "grpo@skyrl": grpo("SkyRL: std guard 1e-6, token mean", { stdEps: 1e-6, aggregation: "token-mean" }),
  "grpo@openrlhf": grpo("OpenRLHF: std guard 1e-9, token mean", { stdEps: 1e-9, aggregation: "token-mean" }),
  "grpo@prime-rl": grpo("prime-rl: centred rewards without a std, token mean, a group of one gives 0", {
    stdEps: 0,
    scale: "none",
    aggregation: "token-mean",
  }),
  "grpo@tinker": grpo("tinker-cookbook: centred rewards without a std, token sum over the batch", {
    stdEps: 0,
    scale: "none",
    aggregation: "token-sum",
  }),
};
