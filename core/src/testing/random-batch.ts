import { Batch, type ColumnInput, type ColumnSpecs, Random } from "../rollout/index.js";

/** Rows of random lengths (one of them empty when `empty`) with every column that a loss may read. */
export function randomBatch(
  seed: number,
  {
    lengths = [3, 5, 2, 4, 1, 4],
    group = [0, 0, 1, 1, 2, 2],
    spread = 0.3,
    specs = {} as ColumnSpecs,
    extra = {} as Record<string, ColumnInput>,
  } = {},
): Batch {
  const random = new Random(seed);
  const rows = lengths.length;
  const token = (make: () => number) => lengths.map((n) => Array.from({ length: n }, make));
  const logp = token(() => -0.05 - 2.5 * random.uniform());
  const near = () => logp.map((row) => row.map((x) => Math.min(-0.01, x + spread * random.normal())));
  const rewards = Array.from({ length: rows }, () => (random.uniform() < 0.5 ? 0 : 1));
  const K = 3;
  const width = (n: number, make: () => number) => lengths.map((T) => Array.from({ length: T }, () => Array.from({ length: n }, make)));
  const candidateProbs = width(K, () => random.uniform()).map((row) =>
    row.map((p) => {
      const total = p.reduce((a, b) => a + b, 0);
      return p.map((x) => x / total);
    }),
  );
  // The first K ids are the candidates, the last one stands for a token outside of them.
  const ids = lengths.map((T) => Array.from({ length: T }, () => [...random.permutation(11).subarray(0, K + 1)]));
  const drawn = token(() => random.integer(K + 1));
  return new Batch({ lengths, group }).with(
    {
      tokens: ids.map((row, i) => row.map((token, t) => token[drawn[i]![t]!]!)),
      mask: token(() => 1),
      logp,
      oldLogp: near(),
      refLogp: near(),
      teacherLogp: near(),
      entropy: token(() => 0.1 + 2 * random.uniform()),
      oldEntropy: token(() => 0.1 + 2 * random.uniform()),
      values: token(() => random.normal()),
      oldValues: token(() => random.normal()),
      returns: token(() => random.normal()),
      hidden: width(2, () => random.normal()),
      candidateProbs,
      candidateTokens: ids.map((row) => row.map((token) => token.slice(0, K))),
      candidateIndex: drawn.map((row) => row.map((index) => (index < K ? index : -1))),
      rewards,
      advantages: Array.from({ length: rows }, () => random.normal()),
      localAdvantages: Array.from({ length: rows }, () => random.normal()),
      globalAdvantages: Array.from({ length: rows }, () => random.normal()),
      localWeights: Array.from({ length: rows }, () => random.uniform()),
      truncated: Array.from({ length: rows }, () => random.integer(2)),
      hinted: Array.from({ length: rows }, () => random.integer(2)),
      turn: Array.from({ length: rows }, (_, i) => i % 3),
      policyMask: token(() => 1),
      // A property of the prompt: the same for all rows of a group.
      domain: Array.from(group, (id) => (id % 2 === 0 ? "algebra" : "geometry")),
      ...extra,
    },
    specs,
  );
}
