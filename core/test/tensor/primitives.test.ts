import { expect } from "chai";
import fc from "fast-check";
import { concat, type Expr, evaluate, type Feeds, input, iota, scatterAdd, scatterElementsAdd, where } from "../../src/tensor/index.js";
import { axisOf, broadcastPairs, distinct, fromFront, integers, read, shapes, size, tabulate } from "./random.js";

/** An expression with its expected shape and elements, both worked out index by index, apart from the implementation. */
interface Sample {
  expr: Expr;
  feeds: Feeds;
  shape: number[];
  element: (index: number[]) => number;
}

const seed = fc.nat(1000);
/** Empty axes are legal everywhere in these. */
const withEmpty = { min: 0 };
const shapeAndAxis = shapes({ rank: [1, 3], min: 0 }).chain((shape) => fc.tuple(fc.constant(shape), axisOf(shape)));
const replaced = (list: readonly number[], at: number, ...by: number[]) => [...list.slice(0, at), ...by, ...list.slice(at + 1)];
const flag = fc.boolean();
const total = (count: number, f: (i: number) => number) => Array.from({ length: count }, (_, i) => f(i)).reduce((a, b) => a + b, 0);

function elementwise(apply: (x: Expr) => Expr, f: (x: number) => number): fc.Arbitrary<Sample> {
  return fc.tuple(shapes(withEmpty), seed).map(([shape, s]) => {
    const x = distinct(shape, s, { low: -2 });
    return { expr: apply(input("x", shape)), feeds: { x }, shape, element: (index) => f(read(x, index)) };
  });
}

function broadcasting(apply: (a: Expr, b: Expr) => Expr, f: (a: number, b: number) => number): fc.Arbitrary<Sample> {
  return fc.tuple(broadcastPairs(withEmpty), seed).map(([{ full, a, b }, s]) => {
    const [x, y] = [distinct(a, s, { low: 0.1 }), distinct(b, s % 3 === 0 ? s : s + 1, { low: 0.1 })];
    return {
      expr: apply(input("x", a), input("y", b)),
      feeds: { x, y },
      shape: full,
      element: (index) => f(read(x, index), read(y, index)),
    };
  });
}

/** Samples over one tensor and one of its axes; `plan` says what comes out. */
function along(
  plan: (
    x: Expr,
    axis: number,
    shape: number[],
    on: boolean,
  ) => { expr: Expr; shape: number[]; element: (at: (i: number[]) => number, index: number[]) => number },
  accept: (shape: number[], axis: number) => boolean = () => true,
): fc.Arbitrary<Sample> {
  return fc
    .tuple(shapeAndAxis, flag, seed)
    .filter(([[shape, axis]]) => accept(shape, fromFront(axis, shape.length)))
    .map(([[shape, axis], on, s]) => {
      const value = distinct(shape, s);
      const { element, ...planned } = plan(input("x", shape), fromFront(axis, shape.length), shape, on);
      return { ...planned, feeds: { x: value }, element: (index) => element((i) => read(value, i), index) };
    });
}

const notEmpty = (shape: number[], axis: number) => shape[axis]! > 0;

const indexed = (plan: (shape: number[], axis: number, picks: number[], s: number) => Sample): fc.Arbitrary<Sample> =>
  fc
    .tuple(shapeAndAxis, shapes({ rank: [0, 2], min: 0 }), seed)
    .filter(([[shape, axis]]) => shape[fromFront(axis, shape.length)]! > 0)
    .map(([[shape, axis], picks, s]) => plan(shape, fromFront(axis, shape.length), picks, s));

const samples: Record<string, fc.Arbitrary<Sample>> = {
  neg: elementwise(
    (x) => x.neg(),
    (x) => -x,
  ),
  abs: elementwise((x) => x.abs(), Math.abs),
  sign: elementwise((x) => x.sign(), Math.sign),
  exp: elementwise((x) => x.exp(), Math.exp),
  log: elementwise((x) => x.log(), Math.log),
  log1p: elementwise((x) => x.log1p(), Math.log1p),
  expm1: elementwise((x) => x.expm1(), Math.expm1),
  tanh: elementwise((x) => x.tanh(), Math.tanh),
  sqrt: elementwise((x) => x.sqrt(), Math.sqrt),
  sin: elementwise((x) => x.sin(), Math.sin),
  cos: elementwise((x) => x.cos(), Math.cos),
  floor: elementwise((x) => x.floor(), Math.floor),
  stopGradient: elementwise(
    (x) => x.stopGradient(),
    (x) => x,
  ),
  isFinite: elementwise(
    (x) => x.log().isFinite(),
    (x) => Number(x > 0),
  ),
  not: elementwise(
    (x) => x.less(0).not(),
    (x) => Number(x >= 0),
  ),
  castToInt: elementwise(
    (x) => x.cast("int"),
    (x) => Math.trunc(x) + 0,
  ),
  add: broadcasting(
    (a, b) => a.add(b),
    (a, b) => a + b,
  ),
  sub: broadcasting(
    (a, b) => a.sub(b),
    (a, b) => a - b,
  ),
  mul: broadcasting(
    (a, b) => a.mul(b),
    (a, b) => a * b,
  ),
  div: broadcasting(
    (a, b) => a.div(b),
    (a, b) => a / b,
  ),
  pow: broadcasting(
    (a, b) => a.pow(b),
    (a, b) => a ** b,
  ),
  min: broadcasting((a, b) => a.min(b), Math.min),
  max: broadcasting((a, b) => a.max(b), Math.max),
  less: broadcasting(
    (a, b) => a.less(b),
    (a, b) => Number(a < b),
  ),
  lessEqual: broadcasting(
    (a, b) => a.lessEqual(b),
    (a, b) => Number(a <= b),
  ),
  greater: broadcasting(
    (a, b) => a.greater(b),
    (a, b) => Number(a > b),
  ),
  equal: broadcasting(
    (a, b) => a.equal(b),
    (a, b) => Number(a === b),
  ),
  and: broadcasting(
    (a, b) => a.less(b).and(b.less(1)),
    (a, b) => Number(a < b && b < 1),
  ),
  or: broadcasting(
    (a, b) => a.less(b).or(b.less(1)),
    (a, b) => Number(a < b || b < 1),
  ),
  where: broadcasting(
    (a, b) => where(a.less(b), a, b.mul(2)),
    (a, b) => (a < b ? a : b * 2),
  ),
  iota: fc.nat(4).map((n) => ({ expr: iota(n), feeds: {}, shape: [n], element: ([i]) => i! })),

  sum: along((x, axis, shape, keep) => ({
    expr: x.sum(axis, keep),
    shape: replaced(shape, axis, ...(keep ? [1] : [])),
    element: (at, index) => total(shape[axis]!, (i) => at(replaced(index, axis, i, ...(keep ? [] : index.slice(axis, axis + 1))))),
  })),
  reduceMax: along((x, axis, shape, keep) => ({
    expr: x.reduceMax(axis, keep),
    shape: replaced(shape, axis, ...(keep ? [1] : [])),
    element: (at, index) =>
      Math.max(
        ...Array.from({ length: shape[axis]! }, (_, i) => at(replaced(index, axis, i, ...(keep ? [] : index.slice(axis, axis + 1))))),
      ),
  })),
  argmax: along(
    (x, axis, shape, keep) => ({
      expr: x.floor().argmax(axis, keep),
      shape: replaced(shape, axis, ...(keep ? [1] : [])),
      element: (at, index) => {
        const line = Array.from({ length: shape[axis]! }, (_, i) =>
          Math.floor(at(replaced(index, axis, i, ...(keep ? [] : index.slice(axis, axis + 1))))),
        );
        return line.indexOf(Math.max(...line));
      },
    }),
    notEmpty,
  ),
  cumsum: along((x, axis, shape, exclusive) => ({
    expr: x.cumsum(axis, { exclusive }),
    shape,
    element: (at, index) => total(index[axis]! + (exclusive ? 0 : 1), (i) => at(replaced(index, axis, i))),
  })),
  cumsumReverse: along((x, axis, shape, exclusive) => ({
    expr: x.cumsum(axis, { exclusive, reverse: true }),
    shape,
    element: (at, index) => {
      const count = shape[axis]! - index[axis]! - (exclusive ? 1 : 0);
      return total(count, (i) => at(replaced(index, axis, shape[axis]! - 1 - i)));
    },
  })),
  transpose: along((x, axis, shape) => {
    const order = [axis, ...shape.map((_, i) => i).filter((i) => i !== axis)];
    return {
      expr: x.transpose(order),
      shape: order.map((i) => shape[i]!),
      element: (at, index) => at(shape.map((_, i) => index[order.indexOf(i)]!)),
    };
  }),
  slice: along((x, axis, shape, fromEnd) => {
    const start = Math.min(1, shape[axis]!);
    return {
      expr: x.slice(
        ...shape.map((_, i): [number, number | null] | null =>
          i === axis ? [fromEnd && start < shape[axis]! ? start - shape[axis]! : start, null] : null,
        ),
      ),
      shape: replaced(shape, axis, shape[axis]! - start),
      element: (at, index) => at(replaced(index, axis, index[axis]! + start)),
    };
  }),
  pad: along((x, axis, shape, after) => ({
    expr: x.pad(
      shape.map((_, i) => (i === axis ? 2 : 0)),
      shape.map(() => Number(after)),
    ),
    shape: shape.map((dim, i) => dim + (i === axis ? 2 : 0) + Number(after)),
    element: (at, index) => {
      const own = replaced(index, axis, index[axis]! - 2);
      return own.every((i, k) => i >= 0 && i < shape[k]!) ? at(own) : 0;
    },
  })),
  concat: along((x, axis, shape) => ({
    expr: concat([x, x.mul(2)], axis),
    shape: replaced(shape, axis, 2 * shape[axis]!),
    element: (at, index) => {
      const second = index[axis]! >= shape[axis]!;
      return at(replaced(index, axis, index[axis]! - (second ? shape[axis]! : 0))) * (second ? 2 : 1);
    },
  })),
  broadcast: along((x, axis, shape) => ({
    expr: x.expandDims(axis).broadcastTo([2, ...replaced(shape, axis, 3, shape[axis]!)]),
    shape: [2, ...replaced(shape, axis, 3, shape[axis]!)],
    element: (at, index) => at(index.slice(1).filter((_, i) => i !== axis)),
  })),
  topKValues: along((x, _, shape, both) => {
    const k = Math.min(both ? 2 : 1, shape.at(-1)!);
    return {
      expr: x.topK(k).values,
      shape: [...shape.slice(0, -1), k],
      element: (at, index) =>
        Array.from({ length: shape.at(-1)! }, (_, i) => at([...index.slice(0, -1), i])).sort((a, b) => b - a)[index.at(-1)!]!,
    };
  }),
  gather: indexed((shape, axis, picks, s) => {
    const [x, i] = [distinct(shape, s), integers(picks, s, shape[axis]!)];
    const element = (index: number[]) => {
      const pick = read(i, index.slice(axis, axis + picks.length));
      return read(x, [...index.slice(0, axis), pick, ...index.slice(axis + picks.length)]);
    };
    return {
      expr: input("x", shape).gather(input("i", picks, "int"), axis),
      feeds: { x, i },
      shape: replaced(shape, axis, ...picks),
      element,
    };
  }),
  scatterAdd: indexed((shape, axis, picks, s) => {
    const updates = replaced(shape, axis, ...picks);
    const [x, i] = [distinct(updates, s), integers(picks, s, shape[axis]!)];
    const pickIndices = tabulateIndices(picks);
    const element = (index: number[]) =>
      pickIndices
        .filter((at) => read(i, at) === index[axis])
        .map((at) => read(x, replaced(index, axis, ...at)))
        .reduce((a, b) => a + b, 0);
    return { expr: scatterAdd(input("i", picks, "int"), input("x", updates), axis, shape[axis]!), feeds: { x, i }, shape, element };
  }),
  gatherElements: indexed((shape, axis, _, s) => {
    const at = replaced(shape, axis, 2);
    const [x, i] = [distinct(shape, s), integers(at, s, shape[axis]!)];
    return {
      expr: input("x", shape).gatherElements(input("i", at, "int"), axis),
      feeds: { x, i },
      shape: at,
      element: (index) => read(x, replaced(index, axis, read(i, index))),
    };
  }),
  scatterElementsAdd: indexed((shape, axis, _, s) => {
    const [x, i] = [distinct(shape, s), integers(shape, s, 4)];
    const element = (index: number[]) =>
      Array.from({ length: shape[axis]! }, (_, k) => replaced(index, axis, k))
        .filter((at) => read(i, at) === index[axis])
        .map((at) => read(x, at))
        .reduce((a, b) => a + b, 0);
    return {
      expr: scatterElementsAdd(input("i", shape, "int"), input("x", shape), axis, 4),
      feeds: { x, i },
      shape: replaced(shape, axis, 4),
      element,
    };
  }),
  matmul: fc
    .tuple(broadcastPairs({ rank: [0, 2], min: 0 }), fc.tuple(fc.nat(6), fc.nat(6), fc.nat(6)), flag, flag, seed)
    .map(([batch, [m, k, n], transposeA, transposeB, s]) => {
      const [a, b] = [
        [...batch.a, ...(transposeA ? [k, m] : [m, k])],
        [...batch.b, ...(transposeB ? [n, k] : [k, n])],
      ];
      const [x, y] = [distinct(a, s), distinct(b, s + 1)];
      const swap = (index: number[], on: boolean) => (on ? [...index.slice(0, -2), index.at(-1)!, index.at(-2)!] : index);
      const element = (index: number[]) => {
        const [i, j] = index.slice(-2) as [number, number];
        const lead = index.slice(0, -2);
        return total(k, (p) => read(x, swap([...lead, i, p], transposeA)) * read(y, swap([...lead, p, j], transposeB)));
      };
      return {
        expr: input("x", a).matmul(input("y", b), { transposeA, transposeB }),
        feeds: { x, y },
        shape: [...batch.full, m, n],
        element,
      };
    }),
};

const tabulateIndices = (shape: number[]): number[][] => {
  const indices: number[][] = [];
  tabulate(shape, (index) => indices.push([...index]));
  return indices;
};

describe("every primitive, over random shapes with axes of size 0 and 1", () => {
  for (const [name, sample] of Object.entries(samples)) {
    it(`${name} has the inferred shape and the elements of its definition`, () => {
      fc.assert(
        fc.property(sample, ({ expr, feeds, shape, element }) => {
          const [value] = evaluate([expr], feeds);
          expect(expr.shape).deep.equal(shape);
          expect(value!.shape).deep.equal(shape);
          const expected = tabulate(shape, element);
          expect(value!.data.length).equal(size(shape));
          expected.forEach((want, i) => {
            const got = value!.data[i]!;
            if (Number.isFinite(want)) expect(got).closeTo(want, 1e-12 * Math.max(1, Math.abs(want)));
            else expect(got).deep.equal(want);
          });
        }),
        { numRuns: 60 },
      );
    });
  }
});
