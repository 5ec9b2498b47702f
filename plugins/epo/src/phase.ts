/**
 * Weight of the smoothing penalty in epoch e of E, h = floor(E/2): 1 - 0.2·(1 - exp(-2e/h)) up to h (1 → 0.83), then
 * 0.8·exp(-3(e - h)/(E - h)) (0.8 → 0.04). e is clipped to [0, E]; 1 when h = 0. EPO (2509.22576), official code.
 */
export function phaseWeight(epoch: number, maxEpochs: number): number {
  const e = Math.min(Math.max(epoch, 0), maxEpochs);
  const half = Math.floor(maxEpochs / 2);
  if (half === 0) return 1;
  return e <= half ? 1 - 0.2 * (1 - Math.exp((-2 * e) / half)) : 0.8 * Math.exp((-3 * (e - half)) / (maxEpochs - half));
}
