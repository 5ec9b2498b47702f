import { expect } from "chai";
import {
  concat,
  constant,
  customGradient,
  type Expr,
  evaluate,
  evaluator,
  external,
  type Feeds,
  guard,
  input,
  iota,
  oneHot,
  scatterAdd,
  tensor,
  where,
} from "../../src/tensor/index.js";

const run = (expr: Expr, feeds: Feeds = {}, sizes: Record<string, number> = {}) => {
  const [value] = evaluate([expr], feeds, sizes);
  return { shape: value!.shape, data: [...value!.data] };
};
const { NaN: nan, POSITIVE_INFINITY: inf, NEGATIVE_INFINITY: minusInf } = Number;
const at = (apply: (x: Expr) => Expr, ...values: number[]) => run(apply(input("x", ["N"])), { x: tensor(values) }).data;

describe("evaluate", () => {
  const matrix = tensor([
    [1, -2, 3],
    [4, 5, -6],
  ]);

  it("gives the values of a table worked out by hand", () => {
    const x = input("x", [2, 3]);
    const ids = input("ids", [2], "int");
    const table: [name: string, expr: Expr, shape: number[], data: number[]][] = [
      ["row added", x.add(constant([10, 20, 30])), [2, 3], [11, 18, 33, 14, 25, 24]],
      ["product with its transpose", x.matmul(x, { transposeB: true }), [2, 2], [14, -24, -24, 77]],
      ["Gram matrix", x.matmul(x, { transposeA: true }), [3, 3], [17, 18, -21, 18, 29, -36, -21, -36, 45]],
      ["sum of all", x.sum(), [], [5]],
      ["maximum kept", x.reduceMax(1, true), [2, 1], [3, 5]],
      ["minimum", x.reduceMin(0), [3], [1, -2, -6]],
      ["exclusive cumsum", x.cumsum(1, { exclusive: true }), [2, 3], [0, 1, -1, 0, 4, 9]],
      ["shift and pad", x.slice(null, [1, null]).pad([0, 0], [0, 1]), [2, 3], [-2, 3, 0, 5, -6, 0]],
      ["stack", concat([x, x.neg()], 0).slice([1, 3]), [2, 3], [4, 5, -6, -1, 2, -3]],
      ["one hot", oneHot(ids, 3), [2, 3], [0, 0, 1, 1, 0, 0]],
      ["rows by index", x.gather(ids.min(1)), [2, 3], [4, 5, -6, 1, -2, 3]],
      ["scattered twice to one place", scatterAdd(ids.mul(0), x.gather(iota(2)), 0, 2), [2, 3], [5, 3, -3, 0, 0, 0]],
      ["one element a row", x.gatherElements(ids.expandDims(1)), [2, 1], [3, 4]],
      ["integer arithmetic", ids.mul(7).sub(3).div(2), [2], [5, -1]],
      ["guarded, customised and stopped", guard(customGradient(x, [x], () => [null]).stopGradient(), ids), [2, 3], [...matrix.data]],
    ];
    for (const [name, expr, shape, data] of table) {
      expect(run(expr, { x: matrix, ids: tensor([2, 0], [2], "int") }), name).deep.equal({ shape, data });
    }
  });

  it("has erf to the last digits", () => {
    // Abramowitz & Stegun table 7.1, and further digits from the series in exact arithmetic.
    const table: [number, number][] = [
      [0, 0],
      [1e-10, 1.1283791670955126e-10],
      [0.1, 0.1124629160182849],
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [1.5, 0.9661051464753108],
      [2, 0.9953222650189527],
      [2.5, 0.999593047982555],
      [3, 0.9999779095030014],
      [4, 0.9999999845827421],
      [6, 1],
      [inf, 1],
    ];
    for (const [x, y] of table) {
      expect(at((v) => v.erf(), x)[0]).closeTo(y, 4e-16 * y);
      expect(at((v) => v.erf(), -x)[0]).closeTo(-y, 4e-16);
    }
    expect(at((v) => v.erf(), nan)).deep.equal([nan]);
  });

  it("computes sigmoid and softplus without overflow", () => {
    expect(at((v) => v.sigmoid(), 1000, 0, -1000, -700, nan)).deep.equal([1, 0.5, 0, Math.exp(-700), nan]);
    expect(at((v) => v.softplus(), 1000, 0, -1000, -700, nan)).deep.equal([1000, Math.LN2, 0, Math.exp(-700), nan]);
    expect(at((v) => v.softplus(), inf, minusInf)).deep.equal([inf, 0]);
  });

  it("keeps a stable softmax where exponentials overflow", () => {
    expect(at((v) => v.softmax(), 1000, 1000, minusInf)).deep.equal([0.5, 0.5, 0]);
    expect(at((v) => v.logSumExp().expandDims(0), 1000, 1000)[0]).closeTo(1000 + Math.LN2, 1e-12);
  });

  it("passes NaN on in arithmetic and not through where", () => {
    for (const f of [
      (x: Expr) => x.max(0),
      (x: Expr) => x.min(0),
      (x: Expr) => x.mul(0),
      (x: Expr) => x.reduceMax(),
      (x: Expr) => x.sum(),
    ]) {
      expect(at(f, nan)).deep.equal([nan]);
    }
    expect(at((x) => where(x.equal(x), x, 7), nan, 1)).deep.equal([7, 1]);
    expect(at((x) => x.isFinite(), nan, inf, 1)).deep.equal([0, 0, 1]);
  });

  it("orders ties and NaN: smaller index first, NaN largest", () => {
    expect(at((x) => x.topK(3).indices, 5, 7, 7, 1)).deep.equal([1, 2, 0]);
    expect(at((x) => x.topK(2).values, 5, nan, 7)).deep.equal([nan, 7]);
    expect(at((x) => x.argmax(), 1, 3, 3)).deep.equal([1]);
  });

  it("reduces an empty axis to the neutral element", () => {
    const x = input("x", [0, 2]);
    const feeds = { x: tensor([], [0, 2]) };
    expect(run(x.sum(0), feeds).data).deep.equal([0, 0]);
    expect(run(x.reduceMax(0), feeds).data).deep.equal([minusInf, minusInf]);
    expect(run(x.matmul(x, { transposeA: true }), feeds)).deep.equal({ shape: [2, 2], data: [0, 0, 0, 0] });
    expect(() => run(x.argmax(0), feeds)).throws("argmax: axis 0 of [0, 2] is empty");
  });

  it("computes several expressions at once, any of them a feed, without sharing the caller's array", () => {
    const x = input("x", [2]);
    const feed = tensor([1, 2]);
    const [same, reshaped, double] = evaluate([x, x.reshape([2, 1]), x.mul(2)], { x: feed });
    feed.data[0] = 99;
    expect([[...same!.data], [...reshaped!.data], [...double!.data]]).deep.equal([
      [1, 2],
      [1, 2],
      [2, 4],
    ]);
  });

  it("computes a shared expression once", () => {
    let deep: Expr = input("x", []);
    for (let i = 0; i < 60; i++) deep = deep.add(deep); // 2⁶⁰ without sharing
    expect(run(deep, { x: tensor(1) }).data).deep.equal([2 ** 60]);
  });

  it("serves many feeds, shapes included, from one preparation", () => {
    const mean = evaluator([input("x", ["N"]).mean()]);
    expect(mean({ x: tensor([1, 2, 3]) })[0]!.data[0]).equal(2);
    expect(mean({ x: tensor([5]) })[0]!.data[0]).equal(5);
  });

  it("refuses what only a runtime can compute", () => {
    const [y] = external("Gelu", [input("x", [2, 3])], [{ shape: [2, 3], dtype: "float" }], { domain: "com.microsoft" });
    expect(() => run(y!, { x: matrix })).throws("com.microsoft.Gelu is a runtime's own operator");
  });
});

describe("symbolic sizes", () => {
  it("are bound from derived ones, whatever the order", () => {
    const [whole, tail, both] = [input("whole", ["P+T"]), input("tail", ["T-1"]), input("both", ["2*P"])];
    const feeds = { whole: tensor([1, 2, 3, 4, 5]), tail: tensor([6, 7]), both: tensor([0, 0, 0, 0]) };
    const [p, t, sum] = evaluate([iota("P"), iota("T"), whole.slice([0, "T"]).add(tail.pad([1], [0])), both], feeds);
    expect([p!.shape, t!.shape]).deep.equal([[2], [3]]);
    expect([...sum!.data]).deep.equal([1, 8, 10]);
  });

  it("come from the caller where no feed binds them", () => {
    expect(run(iota("T").cast("float").mean(), {}, { T: 5 }).data).deep.equal([2]);
    expect(() => run(iota("T"))).throws("the size T has no value: no feed binds T");
  });

  it("cancel: a slice undone by a pad has the shape that it had", () => {
    const x = input("x", ["B", "T"]);
    expect(x.slice(null, [1, null]).pad([0, 1], [0, 0]).shape).deep.equal(["B", "T"]);
    expect(concat([x, x.slice(null, [0, -2])], 1).shape).deep.equal(["B", "2*T-2"]);
    expect(input("y", ["T+P", "1+N-1"]).shape).deep.equal(["P+T", "N"]);
  });
});

describe("unfitting feeds are named", () => {
  const [x, y] = [input("x", ["B", "T"]), input("y", ["B", "T-1"])];
  const sum = x.sum().add(y.sum());
  const two = tensor([[1, 2, 3]]);
  const table: [name: string, feeds: Feeds, message: string][] = [
    ["missing", { x: two }, "input y (float [B, T-1]) is not fed"],
    ["of another type", { x: two, y: tensor([[1, 2]], [1, 2], "int") }, "input y (float [B, T-1]) is fed with int [1, 2]"],
    ["of another rank", { x: two, y: tensor([1, 2]) }, "input y (float [B, T-1]) is fed with a tensor of rank 1: [2]"],
    ["contradictory", { x: two, y: two }, "input y (float [B, T-1]) is fed with [1, 3]: axis 1 is 3, not T-1 (T = 3 from input x)"],
    [
      "too short",
      { x: { shape: [1, 3], data: new Float64Array(2) }, y: two },
      "input x (float [B, T]) is fed with 2 elements for the shape [1, 3]",
    ],
  ];
  for (const [name, feeds, message] of table) it(name, () => expect(() => run(sum, feeds)).throws(message));

  it("a numeric size too", () => {
    expect(() => run(input("z", [2]), { z: tensor([1]) })).throws("input z (float [2]) is fed with [1]: axis 0 is 1, not 2");
  });

  it("indices and slices outside their axis are refused when they are known", () => {
    const i = input("i", ["N"], "int");
    const feeds = { x: two, i: tensor([0, 3], [2], "int") };
    expect(() => run(x.gather(i, 1), feeds)).throws("gather: index 3 lies outside an axis of 3");
    expect(() => run(x.slice(null, [0, 5]), feeds)).throws("slice: a block of [1, 5] from [0, 0] reaches out of [1, 3]");
    expect(() => run(x.slice(null, [4, null]), feeds)).throws("the size T-4 comes out as -1");
    expect(() => run(x.topK(4).values, feeds)).throws("topK: no 4 largest along an axis of 3");
  });
});

describe("tensor", () => {
  it("takes its shape from the nesting, or as given", () => {
    expect(tensor(3)).deep.equal({ shape: [], data: Float64Array.of(3) });
    expect(
      tensor([
        [1, 2],
        [3, 4],
      ]).shape,
    ).deep.equal([2, 2]);
    expect(tensor([1, 2, 3, 4], [2, 2]).shape).deep.equal([2, 2]);
    expect(tensor([true, false], [2], "bool").data).deep.equal(Uint8Array.of(1, 0));
    expect(tensor(Float32Array.of(1, 2)).data).deep.equal(Float64Array.of(1, 2));
    expect(() => tensor([1, 2, 3], [2, 2])).throws("tensor: 3 elements do not fill a shape of [2, 2]");
    expect(() => tensor([[1, 2], [3]])).throws("tensor: 3 elements do not fill a shape of [2, 2]");
  });
});
