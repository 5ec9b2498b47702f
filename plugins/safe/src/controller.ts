import { type State, type Static, statistics, Type } from "@proximal/core";

const { mean, std } = statistics;

export const controllerOptions = {
  baseThreshold: Type.Number({
    default: 0.3,
    exclusiveMinimum: 0,
    description: "KL above which a penalty sets in, before adjustment, nats",
  }),
  entropyFloor: Type.Number({ default: 2, exclusiveMinimum: 0, description: "Entropy, nats, below which the penalty is amplified" }),
  kp: Type.Number({ default: 0.3, minimum: 0, description: "Proportional gain on the reward's velocity" }),
  ki: Type.Number({ default: 0.01, minimum: 0, description: "Integral gain" }),
  kd: Type.Number({ default: 0.05, minimum: 0, description: "Derivative gain" }),
  phaseWindow: Type.Integer({ default: 50, minimum: 2, description: "Calls over which the phase of the training is judged" }),
  penaltyScale: Type.Number({ default: 0.1, minimum: 0, description: "Factor of the squared excess" }),
};

const schema = Type.Object(controllerOptions);
export type ControllerOptions = Static<typeof schema>;

export type Phase = "WARMUP" | "CLIMBING" | "CONVERGED" | "PLATEAU";
const MULTIPLIERS: Readonly<Record<Phase, number>> = { WARMUP: 1.5, CLIMBING: 1.2, CONVERGED: 1, PLATEAU: 0.8 };

/** Weight of the newest KL in the short average. */
const NEWEST = 0.1;

/** What one call of the controller sees, means over the batch: KL(policy, reference) and entropy in nats a token, raw reward. */
export interface Reading {
  kl: number;
  entropy: number;
  reward: number;
}

export interface ControllerState extends State {
  klShort: number;
  klLong: number;
  /** Smoothed reward; null before the first call. */
  ema: number | null;
  integral: number;
  lastError: number;
  /** Rewards of the last calls, at most two windows. */
  rewards: readonly number[];
}

export interface Verdict {
  phase: Phase;
  threshold: number;
  entropyFactor: number;
  penalty: number;
  /** d penalty / d kl of the present call. */
  slope: number;
}

export const initialController = (): ControllerState => ({
  version: 1,
  klShort: 0,
  klLong: 0,
  ema: null,
  integral: 0,
  lastError: 0,
  rewards: [],
});

const clip = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

/** Phase of the training from the rewards so far, the present one included. */
export function phaseOf(rewards: readonly number[], window: number): Phase {
  if (rewards.length < window) return "WARMUP";
  const recent = rewards.slice(-window);
  const old = rewards.length < 2 * window ? recent : rewards.slice(-2 * window, -window);
  if (mean(recent) > mean(old) + 0.01) return "CLIMBING";
  return std(recent, 0) < 0.02 && mean(recent) > 0.7 ? "CONVERGED" : "PLATEAU";
}

/**
 * One call: penaltyScale·(klShort - threshold)²·factor above a threshold that a PID controller on the reward's velocity and the phase
 * of the training move within [0.1, 0.6]; factor = max(½, entropyFloor / (H + 0.1)). SAFE, official code.
 */
export function advance(
  before: ControllerState,
  { kl, entropy, reward }: Reading,
  o: ControllerOptions,
): { state: ControllerState; verdict: Verdict } {
  const klShort = (1 - NEWEST) * before.klShort + NEWEST * kl;
  const klLong = 0.99 * before.klLong + 0.01 * kl;
  const rewards = [...before.rewards, reward].slice(-2 * o.phaseWindow);
  const phase = phaseOf(rewards, o.phaseWindow);
  let { ema, integral, lastError } = before;
  let adjustment = 0;
  if (ema === null) ema = reward;
  else {
    const next = 0.95 * ema + 0.05 * reward;
    const error = next - ema - 0.001;
    integral = clip(integral + error, -1, 1);
    adjustment = o.kp * error + o.ki * integral + o.kd * (error - lastError);
    [ema, lastError] = [next, error];
  }
  const threshold = clip((o.baseThreshold + adjustment) * MULTIPLIERS[phase], 0.1, 0.6);
  const excess = Math.max(0, klShort - threshold);
  const entropyFactor = excess > 0 ? Math.max(0.5, o.entropyFloor / (entropy + 0.1)) : 1;
  const strength = o.penaltyScale * excess * entropyFactor;
  return {
    state: { version: before.version, klShort, klLong, ema, integral, lastError, rewards },
    verdict: { phase, threshold, entropyFactor, penalty: strength * excess, slope: 2 * strength * NEWEST },
  };
}
