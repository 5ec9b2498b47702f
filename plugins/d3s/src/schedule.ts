export interface Ramp {
  /** At step 0. */
  start: number;
  /** From `totalSteps` on. */
  end: number;
}

/** (1 - p)·start + p·end with p = clip(step / totalSteps, 0, 1). D3S (2509.22115). */
export function scheduledRatio({ start, end }: Ramp, step: number, totalSteps: number): number {
  const p = Math.min(Math.max(step / totalSteps, 0), 1);
  return (1 - p) * start + p * end;
}

/** ceil(ratio·n), between 1 and n; 0 of nothing. The product's rounding error must not add one. */
export const keptCount = (ratio: number, n: number): number => Math.min(n, Math.max(1, Math.ceil(ratio * n - 1e-9)));
