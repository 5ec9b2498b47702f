import type { Algorithm } from "@proximal/core";

function cispo(
  description: string,
  gate: { ratioLow: number; ratioHigh: number },
  advantage: { scale?: "batch"; stdEps?: number; groupOfOne?: "raw-scaled" } = {},
  aggregation = "token-mean",
): Algorithm {
  return {
    description,
    aggregation,
    compose: {
      sampler: { use: "independent", groupSize: 8 },
      advantage: { use: "group-normalized", ...advantage },
      gate: { use: "cispo", ...gate },
    },
  };
}

/** The same method with the numbers that each project uses: bounds of the weight, divisor of the advantage, group of one. */
export const presets: Readonly<Record<string, Algorithm>> = {
  cispo: cispo("As published: only a ceiling on the weight", { ratioLow: 0, ratioHigh: 5 }),
  "cispo@minimax": cispo("MiniMax-M1: no floor, token mean, no KL; its ceiling is unpublished, 5 is ScaleRL's", {
    ratioLow: 0,
    ratioHigh: 5,
  }),
  "cispo@trl": cispo(
    "TRL 1.13: an absolute ceiling, the 5 that it recommends, std guard 1e-4",
    { ratioLow: 0, ratioHigh: 5 },
    { stdEps: 1e-4 },
  ),
  "cispo@verl": cispo(
    "verl: both sides, its half-widths of 0.2 as ratios, a group of one keeps its reward",
    { ratioLow: 0.8, ratioHigh: 1.2 },
    { groupOfOne: "raw-scaled" },
  ),
  "cispo@scalerl": cispo(
    "ScaleRL: a ceiling, rewards divided by the std of the batch, mean over prompts of the token mean",
    { ratioLow: 0, ratioHigh: 5 },
    { scale: "batch" },
    "prompt-mean",
  ),
};
