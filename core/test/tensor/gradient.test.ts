import { expect } from "chai";
import fc from "fast-check";
import {
  checkGradient,
  concat,
  constant,
  customGradient,
  DIFFERENTIABLE,
  type Expr,
  evaluate,
  type Feeds,
  gradient,
  guard,
  input,
  iota,
  type Op,
  scatterAdd,
  scatterElementsAdd,
  tensor,
  topologicalOrder,
  vectorJacobianProduct,
  where,
} from "../../src/tensor/index.js";
import { axisOf, broadcastPairs, distinct, fromFront, integers, shapes, size } from "./random.js";

type Input = Expr<"input">;

/** A primitive under test: expression, the inputs to differentiate by, their values. */
interface Sample {
  expr: Expr;
  wrt: Input[];
  feeds: Feeds;
}

/** Σ w · x with uneven weights, so that no two elements of the cotangent are equal. */
function weighted(x: Expr): Expr {
  const count = size(x.shape as number[]);
  const weights = constant(
    Float64Array.from({ length: count }, (_, i) => 0.3 + Math.sin(2 * i + 1)),
    x.shape,
  );
  return x.mul(weights).sum();
}

const seed = fc.nat(1000);

function unary(apply: (x: Expr) => Expr, range: { low?: number; scale?: number } = {}): fc.Arbitrary<Sample> {
  return fc.tuple(shapes(), seed).map(([shape, s]) => {
    const x = input("x", shape);
    return { expr: apply(x), wrt: [x], feeds: { x: distinct(shape, s, range) } };
  });
}

function binary(apply: (a: Expr, b: Expr) => Expr, low = -1): fc.Arbitrary<Sample> {
  return fc.tuple(broadcastPairs(), seed).map(([{ a, b }, s]) => {
    const [x, y] = [input("x", a), input("y", b)];
    const feeds = { x: distinct(a, s, { low, scale: 0.7 }), y: distinct(b, s + 1, { low: low + 0.0737, scale: 0.7 }) };
    return { expr: apply(x, y), wrt: [x, y], feeds };
  });
}

/** A shape of rank 1 or more with one of its axes. */
const shapeAndAxis = shapes({ rank: [1, 3] }).chain((shape) => fc.tuple(fc.constant(shape), axisOf(shape)));

function along(apply: (x: Expr, axis: number, shape: number[], flag: boolean) => Expr, scale = 1): fc.Arbitrary<Sample> {
  return fc.tuple(shapeAndAxis, fc.boolean(), seed).map(([[shape, axis], flag, s]) => {
    const x = input("x", shape);
    return { expr: apply(x, fromFront(axis, shape.length), shape, flag), wrt: [x], feeds: { x: distinct(shape, s, { scale }) } };
  });
}

const matmuls: fc.Arbitrary<Sample> = fc
  .tuple(
    broadcastPairs({ rank: [0, 2] }),
    fc.tuple(...[1, 2, 3].map(() => fc.integer({ min: 1, max: 3 }))),
    fc.boolean(),
    fc.boolean(),
    seed,
  )
  .map(([batch, [m, k, n], transposeA, transposeB, s]) => {
    const [a, b] = [
      [...batch.a, ...(transposeA ? [k!, m!] : [m!, k!])],
      [...batch.b, ...(transposeB ? [n!, k!] : [k!, n!])],
    ];
    const [x, y] = [input("x", a), input("y", b)];
    return {
      expr: x.matmul(y, { transposeA, transposeB }),
      wrt: [x, y],
      feeds: { x: distinct(a, s, { scale: 0.3 }), y: distinct(b, s + 1, { scale: 0.3 }) },
    };
  });

/** Data or updates x with indices that may repeat. */
function indexed(
  build: (
    x: (shape: number[]) => Input,
    axis: number,
    shape: number[],
    picks: number[],
  ) => { expr: Expr; x: Input; indices: Input; below: number },
): fc.Arbitrary<Sample> {
  return fc.tuple(shapeAndAxis, shapes({ rank: [0, 2] }), seed).map(([[shape, axis], picks, s]) => {
    const { expr, x, indices, below } = build((at) => input("x", at), fromFront(axis, shape.length), shape, picks);
    return {
      expr,
      wrt: [x],
      feeds: { x: distinct(x.shape as number[], s), i: integers(indices.shape as number[], s, below) },
    };
  });
}

const replaced = (shape: number[], axis: number, by: number[]) => [...shape.slice(0, axis), ...by, ...shape.slice(axis + 1)];

const cases: { [O in Op]?: fc.Arbitrary<Sample> } = {
  neg: unary((x) => x.neg()),
  abs: unary((x) => x.abs(), { low: -2.1 }),
  exp: unary((x) => x.exp(), { scale: 0.5 }),
  log: unary((x) => x.log(), { low: 0.3 }),
  log1p: unary((x) => x.log1p(), { low: -0.7 }),
  expm1: unary((x) => x.expm1(), { scale: 0.5 }),
  tanh: unary((x) => x.tanh(), { scale: 0.5 }),
  sigmoid: unary((x) => x.sigmoid(), { low: -3 }),
  softplus: unary((x) => x.softplus(), { low: -3 }),
  sqrt: unary((x) => x.sqrt(), { low: 0.4 }),
  sin: unary((x) => x.sin()),
  cos: unary((x) => x.cos()),
  erf: unary((x) => x.erf(), { scale: 0.3 }),
  add: binary((a, b) => a.add(b)),
  sub: binary((a, b) => a.sub(b)),
  mul: binary((a, b) => a.mul(b)),
  div: binary((a, b) => a.div(b), 0.6),
  pow: binary((a, b) => a.pow(b.mul(0.3)), 0.5),
  min: binary((a, b) => a.min(b)),
  max: binary((a, b) => a.max(b)),
  where: binary((a, b) => where(a.less(0.7).or(b.less(0)), a.mul(2), b.sin())),
  matmul: matmuls,
  sum: along((x, axis, _, keep) => x.sum(axis, keep).sin().mul(x.sum().mul(0.1)), 0.3),
  reduceMax: along((x, axis, _, keep) => x.reduceMax(axis, keep).square()),
  cumsum: along((x, axis, shape, flag) => x.cumsum(axis, { exclusive: flag, reverse: shape[0]! > 1 }).sin(), 0.3),
  reshape: along((x, _, shape) => x.square().reshape([size(shape), 1])),
  transpose: along((x, axis, shape) => x.square().transpose([axis, ...shape.map((_, i) => i).filter((i) => i !== axis)])),
  slice: along((x, axis, shape, flag) =>
    x.square().slice(...shape.map((dim, i): [number, number | null] | null => (i === axis ? (flag ? [dim - 1, null] : [-dim, -1]) : null))),
  ),
  pad: along((x, axis, shape, flag) =>
    x.square().pad(
      shape.map((_, i) => (i === axis ? 2 : 0)),
      shape.map(() => (flag ? 1 : 0)),
    ),
  ),
  concat: along((x, axis) => concat([x.sin(), x.square(), x], axis)),
  broadcast: along((x, _, shape) => x.square().broadcastTo([2, ...shape.map((dim) => (dim === 1 ? 3 : dim))])),
  gather: indexed((x, axis, shape, picks) => {
    const [data, indices] = [x(shape), input("i", picks, "int")];
    return { expr: data.square().gather(indices, axis), x: data, indices, below: shape[axis]! };
  }),
  scatterAdd: indexed((x, axis, shape, picks) => {
    const [updates, indices] = [x(replaced(shape, axis, picks)), input("i", picks, "int")];
    return { expr: scatterAdd(indices, updates.sin(), axis, 4).square(), x: updates, indices, below: 4 };
  }),
  gatherElements: indexed((x, axis, shape) => {
    const [data, indices] = [x(shape), input("i", replaced(shape, axis, [2]), "int")];
    return { expr: data.square().gatherElements(indices, axis), x: data, indices, below: shape[axis]! };
  }),
  scatterElementsAdd: indexed((x, axis, shape) => {
    const [updates, indices] = [x(shape), input("i", shape, "int")];
    return { expr: scatterElementsAdd(indices, updates.sin(), axis, 3).square(), x: updates, indices, below: 3 };
  }),
  topKValues: along((x, _, shape) => x.topK(Math.min(2, shape.at(-1)!)).values.square()),
  customGradient: unary((x) => customGradient(x.exp(), [x], (g, [y]) => [g.mul(y!.exp())]), { scale: 0.5 }),
  guard: binary((a, b) => guard(a.square(), b).mul(b)),
};

const TOLERANCE = 1e-6;
const relativeError = ({ expr, wrt, feeds }: Sample): number => checkGradient(weighted(expr), wrt, feeds).entryError;

describe("gradient", () => {
  describe("agrees with central differences to 1e-6 in every entry, for every primitive", () => {
    for (const op of DIFFERENTIABLE) {
      it(op, () => {
        const samples = cases[op];
        expect(samples, `no case for ${op}`).not.equal(undefined);
        let occurrences = 0;
        fc.assert(
          fc.property(samples!, (sample) => {
            if (topologicalOrder([sample.expr]).some((node) => node.op === op)) occurrences++;
            expect(relativeError(sample)).most(TOLERANCE);
          }),
          { numRuns: 40, seed: 1 },
        );
        expect(occurrences, "samples that contain the primitive").least(5);
      });
    }
  });

  describe("of a gradient agrees with central differences too", () => {
    for (const op of DIFFERENTIABLE) {
      it(op, () => {
        const second = cases[op]!.map(({ expr, wrt, feeds }) => {
          const first = gradient(weighted(expr.sin()), wrt);
          return { expr: first.map(weighted).reduce((a, b) => a.add(b)), wrt, feeds };
        });
        fc.assert(
          fc.property(second, ({ expr, wrt, feeds }) => {
            expect(checkGradient(expr, wrt, feeds).error).most(TOLERANCE);
          }),
          { numRuns: 6 },
        );
      });
    }
  });

  describe("of composed functions agrees with central differences", () => {
    const [x, y] = [input("x", ["B", "T", 5]), input("y", ["B", "T", 5])];
    const w = input("w", [5]);
    const feeds = { x: distinct([2, 3, 5], 1, { scale: 0.4 }), y: distinct([2, 3, 5], 2, { scale: 0.4 }), w: distinct([5], 3) };
    const ids = iota("T");
    const rmsNorm = (h: Expr) => h.div(h.square().mean(-1, true).add(1e-5).sqrt()).mul(w);
    const attention = (h: Expr, k: Expr) => {
      const scores = h.matmul(k, { transposeB: true }).mul(1 / Math.sqrt(5));
      const visible = ids.expandDims(1).greaterEqual(ids.expandDims(0));
      return where(visible, scores, -1e9).softmax().matmul(k);
    };
    const ratio = x.sub(y.stopGradient()).exp();
    const table: [name: string, expr: Expr, wrt: Input[]][] = [
      ["logSumExp", x.logSumExp(), [x]],
      ["logSumExp along another axis", x.mul(y).logSumExp(1, true), [x, y]],
      ["softmax", x.softmax().mul(y), [x, y]],
      ["entropy", x.softmax().mul(x.logSoftmax()).sum(-1).neg(), [x]],
      ["rms norm", rmsNorm(x), [x, w]],
      ["a causal attention block", attention(rmsNorm(x), y).add(x), [x, y, w]],
      ["the clipped surrogate", ratio.mul(0.3).min(ratio.clip(0.8, 1.2).mul(0.3)).neg(), [x]],
      ["mean over symbolic axes", x.square().mean([0, 1]), [x]],
      ["a next-token shift along a symbolic axis", x.slice(null, [1, null]).mul(y.slice(null, [0, -1])), [x, y]],
      ["a part of a symbolic axis up to a number", x.slice(null, [1, 2]).square(), [x]],
      ["concatenation along a symbolic axis", concat([x, y.slice(null, [1, null]), x.sin()], 1).cumsum(1), [x, y]],
      ["pad of a symbolic axis", x.square().pad([0, 2, 0], [1, 0, 0]), [x]],
      ["variance in one pass", x.square().mean(-1).sub(x.mean(-1).square()), [x]],
    ];
    for (const [name, expr, wrt] of table) {
      it(name, () => {
        const total = expr.mul(expr.add(0.3).cos()).sum();
        expect(checkGradient(total, wrt, feeds).error).most(TOLERANCE);
      });
    }
  });

  const gradientOf = (loss: Expr, wrt: Expr, feeds: Feeds) => [...evaluate([...gradient(loss, [wrt]), wrt], feeds)[0]!.data];

  it("stops at stopGradient, floor, sign, comparisons and integers", () => {
    const x = input("x", [2]);
    const feeds = { x: tensor([0.4, -1.7]) };
    expect(gradientOf(x.stopGradient().mul(x).sum(), x, feeds)).deep.equal([0.4, -1.7]);
    for (const stopped of [x.floor(), x.sign(), x.less(0).cast("float"), x.cast("int").cast("float"), x.exp().stopGradient()]) {
      expect(gradientOf(stopped.sum(), x, feeds), stopped.op).deep.equal([0, 0]);
    }
  });

  it("takes a custom gradient instead of the derivative, and null as none", () => {
    const [x, y] = [input("x", [2]), input("y", [2])];
    const feeds = { x: tensor([1, 2]), y: tensor([3, 4]) };
    const f = customGradient(x.mul(y), [x, y], (g) => [g.mul(10), null]);
    expect(gradientOf(f.sum(), x, feeds)).deep.equal([10, 10]);
    expect(gradientOf(f.sum(), y, feeds)).deep.equal([0, 0]);
    expect(() => gradient(customGradient(x, [x, y], (g) => [g]).sum(), [x])).throws("gives 1 gradients for 2 inputs");
    expect(() => gradient(customGradient(x, [x], (g) => [g.sum()]).sum(), [x])).throws("gradient: [] does not fit an operand of [2]");
  });

  it("gives the first operand the gradient of a tie, and equal maxima equal shares", () => {
    const [x, y] = [input("x", [3]), input("y", [3])];
    const feeds = { x: tensor([1, 2, 2]), y: tensor([1, 3, 0]) };
    expect(gradientOf(x.min(y).sum(), x, feeds)).deep.equal([1, 1, 0]);
    expect(gradientOf(x.min(y).sum(), y, feeds)).deep.equal([0, 0, 1]);
    expect(gradientOf(x.max(y).sum(), x, feeds)).deep.equal([1, 0, 1]);
    expect(gradientOf(x.max(y).sum(), y, feeds)).deep.equal([0, 1, 0]);
    expect(gradientOf(x.clip(1, 2).sum(), x, feeds), "on the borders of a clip").deep.equal([1, 1, 1]);
    expect(gradientOf(x.reduceMax(), x, feeds)).deep.equal([0, 0.5, 0.5]);
  });

  it("is finite where a power of zero is", () => {
    const [x, p] = [input("x", [3]), input("p", [3])];
    const feeds = { x: tensor([0, 0, 2]), p: tensor([0, 2, 3]) };
    expect(gradientOf(x.pow(p).sum(), x, feeds)).deep.equal([0, 0, 12]);
    expect(gradientOf(x.pow(p).sum(), p, feeds)).deep.equal([0, 0, 8 * Math.log(2)]);
    expect(gradientOf(x.pow(2).sum(), x, feeds)).deep.equal([0, 0, 4]);
  });

  it("keeps a NaN in the branch that where does not take out of the branch's neighbours", () => {
    const [x, m] = [input("x", [3]), input("m", [3], "bool")];
    const feeds = { x: tensor([1, Number.NaN, 3]), m: tensor([1, 0, 1], [3], "bool") };
    const clean = where(m, x, 0);
    expect(gradientOf(clean.exp().mul(clean).sum(), x, feeds)).deep.equal([2 * Math.E, 0, 4 * Math.exp(3)]);
  });

  it("reaches intermediate expressions, and gives zeros where the loss does not depend", () => {
    const [x, other] = [input("x", ["N"]), input("other", ["N", 2])];
    const y = x.square();
    const feeds = {
      x: tensor([1, 2]),
      other: tensor([
        [1, 2],
        [3, 4],
      ]),
    };
    expect(gradientOf(y.mul(3).sum(), y, feeds)).deep.equal([3, 3]);
    expect(evaluate([...gradient(y.sum(), [other]), other], feeds)[0]).deep.equal(
      tensor([
        [0, 0],
        [0, 0],
      ]),
    );
  });

  it("refuses a loss that is no scalar and a target that is not float", () => {
    const x = input("x", ["B", "T"]);
    expect(() => gradient(x, [x])).throws("gradient: the loss has the shape [B, T]");
    expect(() => gradient(x.sum(), [input("ids", ["T"], "int")])).throws("there is none with respect to int [T]");
  });

  it("is the sum over several outputs of cotangent times derivative", () => {
    const [x, u, v] = [input("x", [3]), input("u", [3]), input("v", [])];
    const feeds = { x: tensor([1, 2, 3]), u: tensor([1, 10, 100]), v: tensor(7) };
    const [g] = vectorJacobianProduct(
      [
        { output: x.square(), cotangent: u },
        { output: x.sum(), cotangent: v },
      ],
      [x],
    );
    expect([...evaluate([g!], feeds)[0]!.data]).deep.equal([9, 47, 607]);
    expect([...evaluate(gradient(x.square(), [x], u), feeds)[0]!.data]).deep.equal([2, 40, 600]);
  });

  it("of empty tensors is empty", () => {
    const x = input("x", ["B", 3]);
    const loss = x.logSoftmax().square().sum();
    expect(evaluate(gradient(loss, [x]), { x: tensor([], [0, 3]) })[0]).deep.equal(tensor([], [0, 3]));
  });
});
