/**
 * Volume of the union of the boxes between `reference` and each point, all coordinates to be maximised. By slicing along the
 * first coordinate; points not above the reference in a coordinate add nothing there.
 */
export function hypervolume(points: readonly (readonly number[])[], reference: readonly number[]): number {
  const above = points.filter((point) => point.every((x, k) => x > reference[k]!));
  if (above.length === 0) return 0;
  if (reference.length === 1) return Math.max(...above.map((point) => point[0]!)) - reference[0]!;
  const sorted = [...above].sort((a, b) => a[0]! - b[0]!);
  let from = reference[0]!;
  let volume = 0;
  sorted.forEach((point, i) => {
    const width = point[0]! - from;
    // Every point from here on reaches at least to this slice.
    if (width > 0)
      volume +=
        width *
        hypervolume(
          sorted.slice(i).map((p) => p.slice(1)),
          reference.slice(1),
        );
    from = point[0]!;
  });
  return volume;
}

/** d = max(0, HV(front + v) - HV(front)); the buffer's first entry is the reference point. Flips objectives to be minimised. */
export function contribution(buffer: readonly (readonly number[])[], point: readonly number[], maximize: readonly boolean[]): number {
  const signed = (values: readonly number[]) => values.map((x, k) => (maximize[k] === false ? -x : x));
  const [reference, ...front] = buffer.map(signed) as [number[], ...number[][]];
  return Math.max(0, hypervolume([...front, signed(point)], reference) - hypervolume(front, reference));
}

/** m = 0.5 + 1.5·tanh(d), in [0.5, 2). */
export const metaReward = (d: number): number => 0.5 + 1.5 * Math.tanh(d);
