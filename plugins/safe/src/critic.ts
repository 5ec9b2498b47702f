import { Random } from "@proximal/core";

/** Two linear heads on a normalised state of width H, with Adam's moments. */
export interface Critic {
  /** [2 · (H + 1)] weights and bias of one head after the other. */
  parameters: Float64Array;
  m: Float64Array;
  v: Float64Array;
  steps: number;
}

/** The heads start apart: equal ones would stay equal. */
const INITIAL_SCALE = 0.01;
/** Weight of the value loss in the total. */
const VALUE_WEIGHT = 0.5;
/** Global norm that the critic's gradient is clipped to. */
const MAX_GRADIENT_NORM = 0.5;
const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

export function freshCritic(width: number, seed: number): Critic {
  const random = new Random(seed).fork("safe-critic");
  const size = 2 * (width + 1);
  const parameters = Float64Array.from({ length: size }, (_, i) => ((i + 1) % (width + 1) === 0 ? 0 : INITIAL_SCALE * random.normal()));
  return { parameters, m: new Float64Array(size), v: new Float64Array(size), steps: 0 };
}

/** (x - mean) / sqrt(variance + 1e-5) over the entries. */
export function layerNorm(x: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(x);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return values.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
}

/** The two heads at a normalised state. */
export function heads({ parameters }: Critic, features: Float64Array): [number, number] {
  const width = features.length;
  const head = (k: number) => {
    const from = k * (width + 1);
    return features.reduce((sum, x, i) => sum + x * parameters[from + i]!, parameters[from + width]!);
  };
  return [head(0), head(1)];
}

/** -s·(log(e^(-v1/s) + e^(-v2/s)) - log 2): between the minimum and the mean. SAFE, official code. */
export const softMin = (v1: number, v2: number, s: number): number =>
  Math.min(v1, v2) - s * (Math.log1p(Math.exp(-Math.abs(v1 - v2) / s)) - Math.LN2);

/** d softMin / d v1; that of v2 is the rest to 1. */
const shareOfFirst = (v1: number, v2: number, s: number): number => 1 / (1 + Math.exp((v1 - v2) / s));

export interface ValueLossOptions {
  valueClip: number;
  huberDelta: number;
}

/**
 * ½·[mean Huber(V - r~) + mean Huber(V_c - r~)], V_c = V_old + clip(V - V_old, ±valueClip), and its gradient in V, [B]. Huber: ½x² up to
 * delta, delta·(|x| - ½·delta) beyond. SAFE, official code.
 */
export function valueLoss(
  values: ArrayLike<number>,
  oldValues: ArrayLike<number>,
  targets: ArrayLike<number>,
  { valueClip, huberDelta }: ValueLossOptions,
): { loss: number; gradient: Float64Array } {
  const huber = (x: number) => (Math.abs(x) <= huberDelta ? 0.5 * x * x : huberDelta * (Math.abs(x) - 0.5 * huberDelta));
  const slope = (x: number) => Math.min(Math.max(x, -huberDelta), huberDelta);
  const n = values.length;
  let loss = 0;
  const gradient = Float64Array.from(values, (value, i) => {
    const change = value - oldValues[i]!;
    const clipped = oldValues[i]! + Math.min(Math.max(change, -valueClip), valueClip);
    const [error, clippedError] = [value - targets[i]!, clipped - targets[i]!];
    loss += (0.5 * (huber(error) + huber(clippedError))) / n;
    return (0.5 * (slope(error) + (Math.abs(change) <= valueClip ? slope(clippedError) : 0))) / n;
  });
  return { loss, gradient };
}

/** One Adam step of both heads on the value loss. `features` [B][H], `oldValues` and `targets` [B]. */
export function trained(
  critic: Critic,
  features: readonly Float64Array[],
  oldValues: ArrayLike<number>,
  targets: ArrayLike<number>,
  o: ValueLossOptions & { softMinTemperature: number; criticLearningRate: number },
): { critic: Critic; loss: number } {
  const both = features.map((x) => heads(critic, x));
  const values = both.map(([v1, v2]) => softMin(v1, v2, o.softMinTemperature));
  const { loss, gradient } = valueLoss(values, oldValues, targets, o);
  const total = new Float64Array(critic.parameters.length);
  features.forEach((x, row) => {
    const [v1, v2] = both[row]!;
    const first = shareOfFirst(v1, v2, o.softMinTemperature);
    [first, 1 - first].forEach((share, k) => {
      const from = k * (x.length + 1);
      const g = VALUE_WEIGHT * gradient[row]! * share;
      x.forEach((feature, i) => {
        total[from + i]! += g * feature;
      });
      total[from + x.length]! += g;
    });
  });
  const norm = Math.hypot(...total);
  const scale = norm > MAX_GRADIENT_NORM ? MAX_GRADIENT_NORM / norm : 1;
  const steps = critic.steps + 1;
  const { beta1, beta2, epsilon } = ADAM;
  const m = critic.m.map((x, i) => beta1 * x + (1 - beta1) * scale * total[i]!);
  const v = critic.v.map((x, i) => beta2 * x + (1 - beta2) * (scale * total[i]!) ** 2);
  const parameters = critic.parameters.map(
    (p, i) => p - (o.criticLearningRate * (m[i]! / (1 - beta1 ** steps))) / (Math.sqrt(v[i]! / (1 - beta2 ** steps)) + epsilon),
  );
  return { critic: { parameters, m, v, steps }, loss };
}
