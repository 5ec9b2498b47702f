import {
  concat,
  constant,
  customGradient,
  type Expr,
  evaluate,
  type Feeds,
  gradient,
  guard,
  input,
  iota,
  reducedShape,
  ShapeError,
  scatterAdd,
  scatterElementsAdd,
  sizeOf,
  tensor,
  where,
} from "@proximal/core";
import { expect } from "chai";
import fc from "fast-check";
import { lower } from "../../src/index.js";
import { rewrite } from "../../src/lowering/rewrite.js";
import { numbers, runGraph } from "../support.js";

/** One operation on values made before: `a` and `b` pick them, `n` sets its details. */
interface Step {
  operation: number;
  a: number;
  b: number;
  n: number;
}

const axisOf = (x: Expr, n: number) => n % Math.max(1, x.rank);
/** All subsets of the axes, by the bits of n. */
const axesOf = (x: Expr, n: number) => x.shape.flatMap((_, i) => ((n >> i) & 1 ? [i] : []));
/** An axis's size that leaves something to pick from. */
function dim(x: Expr, axis: number): number {
  const size = x.shape[axis] as number | undefined;
  if (!size) throw new ShapeError("an empty axis");
  return size;
}
/** Whole numbers 0..size-1 in the shape of x. */
const picks = (x: Expr, size: number) =>
  x
    .mul(3)
    .abs()
    .floor()
    .cast("int")
    .min(constant(size - 1, [], "int"));

/** Rich in the patterns that the rules of the lowering look for. A `ShapeError` means: not these operands. */
const operations: ((a: Expr, b: Expr, n: number) => Expr)[] = [
  (a, b) => a.add(b),
  (a, b) => a.sub(b),
  (a, b) => a.mul(b),
  (a, b) => a.div(b.abs().add(1)),
  (a, b) => a.max(b),
  (a, b) => a.min(b),
  (a, b) => where(a.less(b), a, b.neg()),
  (a, b) => where(a.less(0).and(b.lessEqual(0.5).not()).or(a.equal(1)), 0.25, b),
  (a, _, n) => a.mul([0, 1, -1, 2, 0.5, 3][n % 6]!),
  (a, _, n) => a.add([0, 1, -1, 0.5][n % 4]!),
  (a, _, n) =>
    a
      .abs()
      .add(0.5)
      .pow([0, 1, 2, 3, 0.5, -0.5, -1, -2, 1.7][n % 9]!),
  (a, _, n) => a.div([1, 2, 4, 3][n % 4]!),
  (a, _, n) => [a.neg(), a.tanh(), a.sigmoid(), a.softplus(), a.expm1(), a.erf(), a.abs().log1p(), a.sin(), a.square()][n % 9]!,
  (a, _, n) => a.sum(axesOf(a, n), n % 2 === 0),
  (a, _, n) => a.square().sum(axesOf(a, n)),
  (a, _, n) => a.reduceMax(axesOf(a, n), n % 2 === 0),
  (a, _, n) => a.reduceMin(axesOf(a, n)),
  (a, _, n) => a.expandDims(n % (a.rank + 1)),
  (a, _, n) => a.reshape(a.shape.filter((size, i) => size !== 1 || i % 2 === n % 2)),
  (a, _, n) => a.reshape([sizeOf(a.shape)!, ...(n % 2 ? [1] : [])]),
  (a, _, n) => a.broadcastTo([(n % 3) + 1, ...a.shape]),
  (a, b) => a.broadcastTo(b.shape),
  (a, _, n) => a.transpose(n % 2 ? undefined : [...a.shape.keys()].sort((i, j) => ((i * 5 + n) % 4) - ((j * 5 + n) % 4) || i - j)),
  (a, _, n) => a.slice(...a.shape.map((size, i): [number, number] => [(n >> i) & 1 && size ? 1 : 0, size as number])),
  (a, _, n) =>
    a.pad(
      a.shape.map((_, i) => (n >> i) & 1),
      a.shape.map((_, i) => (n >> (i + 1)) & 1),
    ),
  (a, b, n) => concat([a, b], axisOf(a, n)),
  (a, b, n) => a.matmul(b, { transposeA: n % 2 === 1, transposeB: n % 4 > 1 }),
  (a, _, n) => a.matmul(a, { transposeA: n % 2 === 0, transposeB: n % 2 === 1 }),
  (a, _, n) => a.matmul(a, { transposeA: true }).sum(axesOf(a, n), n % 3 === 0),
  (a, _, n) => a.cumsum(axisOf(a, n), { exclusive: n % 2 === 0, reverse: n % 3 === 0 }),
  (a, _, n) => a.gather(picks(input("v", [2, 2]), dim(a, axisOf(a, n))), axisOf(a, n)),
  (a, _, n) => scatterAdd(picks(input("v", [2, 2]).sum(n % 2), 3).slice([0, Math.min(2, dim(a, 0))]), a, 0, n % 2 ? 3 : 200),
  (a, _, n) => scatterElementsAdd(picks(a, 4), a, axisOf(a, n), n % 2 ? 4 : 130),
  (a, b) => guard(a, b),
  (a) => customGradient(a.mul(2), [a], (g) => [g]),
  (a, _, n) =>
    iota(dim(a, axisOf(a, n)))
      .cast("float")
      .mul(0.1),
  (a, b) => {
    const scaled = a.tanh();
    return gradient(scaled.mul(b).sum(), [a])[0]!;
  },
];

const feeds: Feeds = {
  s: tensor(0.7),
  v: tensor([0.3, -0.9, 0.55, 0.1], [2, 2]),
  m: tensor([0.2, -0.4, 0.9, 0.35, -0.75, 0.6], [2, 3]),
  c: tensor([0.5, -0.6], [2, 1]),
  t: tensor(
    Array.from({ length: 12 }, (_, i) => Math.sin(i + 1)),
    [2, 2, 3],
  ),
  e: tensor([], [0, 3]),
};
const starts = Object.entries(feeds).map(([name, { shape }]): Expr => input(name, shape));

/** The last few values of a program; values stay small, so that errors do. */
function build(steps: readonly Step[]): Expr[] {
  const values = [...starts];
  for (const { operation, a, b, n } of steps) {
    const pick = (i: number) => values[values.length - 1 - (i % values.length)]!;
    try {
      const value = operations[operation]!(pick(a), pick(b), n);
      if ((sizeOf(value.shape) ?? 0) <= 2000 && value.rank <= 5) values.push(value);
    } catch (error) {
      if (!(error instanceof ShapeError)) throw error;
    }
  }
  return values.slice(-4);
}

const program = fc.array(fc.record({ operation: fc.nat(operations.length - 1), a: fc.nat(7), b: fc.nat(7), n: fc.nat(15) }), {
  minLength: 3,
  maxLength: 14,
  size: "max",
});

/** Largest difference, relative to the largest number of each tensor. Both may hold the same NaN and infinities. */
function difference(values: readonly ArrayLike<number>[], expected: readonly ArrayLike<number>[]): number {
  let worst = 0;
  expected.forEach((reference, k) => {
    const value = values[k]!;
    if (value.length !== reference.length) worst = Number.POSITIVE_INFINITY;
    let largest = 1;
    for (let i = 0; i < reference.length; i++) if (Number.isFinite(reference[i])) largest = Math.max(largest, Math.abs(reference[i]!));
    for (let i = 0; i < reference.length; i++) {
      if (Object.is(value[i], reference[i]) || value[i] === reference[i]) continue;
      const distance = Math.abs(value[i]! - reference[i]!) / largest;
      worst = Math.max(worst, Number.isNaN(distance) ? Number.POSITIVE_INFINITY : distance);
    }
  });
  return worst;
}

/** Values beyond this lose their digits in whatever comes after. */
const tame = (values: readonly { data: ArrayLike<number> }[]) =>
  values.every(({ data }) => Array.from(data).every((x) => Number.isFinite(x) && Math.abs(x) < 1e6));

describe("random programs", () => {
  it("keep their values and shapes when they are rewritten, to 1e-9", () => {
    fc.assert(
      fc.property(program, (steps) => {
        const roots = build(steps);
        const expected = evaluate(roots, feeds);
        fc.pre(tame(expected));
        const rewritten = rewrite(roots);
        expect(rewritten.map(({ shape }) => shape)).to.deep.equal(roots.map(({ shape }) => shape));
        const values = evaluate(rewritten, feeds);
        expect(
          difference(
            values.map(({ data }) => data),
            expected.map(({ data }) => data),
          ),
        ).to.be.below(1e-9);
      }),
      { seed: 11, numRuns: 1500 },
    );
  });

  it("compute the same as float64 graphs, to 1e-9", async () => {
    await fc.assert(
      fc.asyncProperty(program, async (steps) => {
        const roots = build(steps);
        const expected = evaluate(roots, feeds);
        fc.pre(tame(expected));
        const outputs = Object.fromEntries(roots.map((root, i) => [`out${i}`, root]));
        const results = await runGraph(lower({ outputs, dtype: "float64" }), feeds);
        expect(Object.values(results).map(({ dims }) => dims)).to.deep.equal(expected.map(({ shape }) => shape));
        expect(
          difference(
            Object.values(results).map(numbers),
            expected.map(({ data }) => data),
          ),
        ).to.be.below(1e-9);
      }),
      { seed: 12, numRuns: 300 },
    );
  });

  it("sum over axes of size 1 and empty axes as numpy does", () => {
    const [ones, none] = [input("c", [2, 1]), input("e", [0, 3])];
    const roots = [ones.sum(1), ones.sum(1, true), none.sum(0), none.sum(1), none.add(1).sum(), none.broadcastTo([2, 0, 3]).sum(0)];
    const lists = (exprs: readonly Expr[]) => evaluate(exprs, feeds).map(({ data }) => [...data]);
    expect(lists(rewrite(roots))).to.deep.equal([[0.5, -0.6], [0.5, -0.6], [0, 0, 0], [], [0], []]);
    expect(reducedShape(none.shape, [0], false)).to.deep.equal([3]);
  });
});
