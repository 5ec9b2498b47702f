import { constant, input } from "@proximal/core";
import { lower, Session } from "@proximal/onnx";
import { Tensor } from "onnxruntime-node";

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

export const spread = (values) => ({ median: median(values), min: Math.min(...values), max: Math.max(...values) });

/** Peak resident set of this process and its threads, GB. */
export const peakMemory = () => process.resourceUsage().maxRSS / 1024 ** 2;

/** Best rate of ONNX Runtime's product of two 2048 × 2048 matrices with the given threads, GFLOP/s. */
export async function matmulPeak({ threads, repeats = 8 } = {}) {
  const n = 2048;
  const [a, b] = [input("a", [n, n]), input("b", [n, n])];
  const session = await Session.create(lower({ outputs: { c: a.matmul(b).mul(constant(1)) } }), { provider: "cpu", threads });
  const matrix = () =>
    new Tensor(
      "float32",
      Float32Array.from({ length: n * n }, (_, i) => Math.sin(i)),
      [n, n],
    );
  const feeds = { a: matrix(), b: matrix() };
  const fetches = { c: new Tensor("float32", new Float32Array(n * n), [n, n]) };
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    await session.run(feeds, fetches);
    best = Math.min(best, performance.now() - start);
  }
  await session.release();
  return (2 * n ** 3) / (best * 1e6);
}

/** One JSON line a record, for machines; a table at the end is for people. */
export const emit = (record) => console.log(JSON.stringify(record));
