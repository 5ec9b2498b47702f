import { evaluate, input } from "@proximal/core";

export interface TargetOptions {
  targetEntropy: number;
  temperatureHigh: number;
  temperatureLow: number;
}

/** Temperature of the virtual target distribution: flatter up to the target entropy, sharper above it. DCPO, official code. */
export const targetTemperature = (entropy: number, { targetEntropy, temperatureHigh, temperatureLow }: TargetOptions): number =>
  entropy <= targetEntropy ? temperatureHigh : temperatureLow;

/**
 * a / (1 + a), a = min(|targetEntropy - entropy|, maxStrength) / share of correct responses; 0 when none is correct.
 * DCPO, official code (which divides by zero there).
 */
export function mixOf(entropy: number, share: number, o: { targetEntropy: number; maxStrength: number }): number {
  if (share === 0) return 0;
  const strength = Math.min(Math.abs(o.targetEntropy - entropy), o.maxStrength) / share;
  return strength / (1 + strength);
}

/** log softmax(logits / temperature) at one token, nats; logits [V]. What an engine computes for `scoreTokens` at a temperature. */
export function temperedLogp(logits: readonly number[], token: number, temperature: number): number {
  const x = input("logits", [logits.length]);
  const [logp] = evaluate([x.div(temperature).logSoftmax(-1)], { logits: { shape: [logits.length], data: Float64Array.from(logits) } });
  return logp!.data[token]!;
}
