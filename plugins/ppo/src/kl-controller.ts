import { Type } from "@proximal/core";

export const klControllerOptions = {
  targetKl: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Null()], {
    default: null,
    description: "KL of a response, nats, that klCoef is steered to; null = fixed klCoef",
  }),
  horizon: Type.Number({ default: 10000, exclusiveMinimum: 0, description: "Responses over which klCoef adapts" }),
};

const ERROR_LIMIT = 0.2;

/**
 * klCoef·(1 + e·responses/horizon) with e = clip(kl/targetKl - 1, -0.2, 0.2); `kl` is the mean KL of a response, nats.
 * Ziegler et al. 2019 (1909.08593), section 2.2.
 */
export function controlledKlCoef(
  klCoef: number,
  kl: number,
  responses: number,
  { targetKl, horizon }: { targetKl: number | null; horizon: number },
): number {
  if (targetKl === null || !Number.isFinite(kl)) return klCoef;
  const error = Math.min(Math.max(kl / targetKl - 1, -ERROR_LIMIT), ERROR_LIMIT);
  return klCoef * (1 + (error * responses) / horizon);
}
