import { expect } from "chai";
import {
  concat,
  constant,
  type Expr,
  evaluate,
  formatShape,
  input,
  iota,
  oneHot,
  ProximalError,
  ShapeError,
  scatterAdd,
  scatterElementsAdd,
  where,
} from "../../src/index.js";

const a = input("a", ["B", "T"]);
const b = input("b", ["B", 3]);
const ids = input("ids", ["T"], "int");
const mask = input("mask", ["B", "T"], "bool");

describe("a shape error names the operator, both operands and their shapes", () => {
  const table: [build: () => Expr, message: string][] = [
    [() => a.add(b), "add: shapes [B, T] and [B, 3] do not broadcast"],
    [() => a.mul(ids), "mul: float [B, T] and int [T] are of different types; cast one of them"],
    [() => a.less(input("c", ["T", "B"])), "less: shapes [B, T] and [T, B] do not broadcast"],
    [() => a.matmul(b), "matmul: [B, T] and [B, 3] do not multiply: T columns, B rows"],
    [() => a.matmul(b, { transposeB: true }), "matmul: [B, T] and [B, 3]ᵀ do not multiply: T columns, 3 rows"],
    [() => a.matmul(constant([1, 2])), "matmul: [B, T] and [2] are not both matrices"],
    [
      () => input("c", [2, "N", "K"]).matmul(input("d", [3, "K", "M"])),
      "matmul: [2, N, K] and [3, K, M], batch axes: shapes [2] and [3] do not broadcast",
    ],
    [() => where(mask, a, b), "where: shapes [B, T] and [B, T] and [B, 3] do not broadcast"],
    [() => where(a, a, a), "where: takes bool, not float [B, T]"],
    [() => where(mask, a, ids), "where: float [B, T] and int [T] are of different types"],
    [() => concat([a, b], 0), "concat: [B, T] and [B, 3] differ beside axis 0"],
    [() => concat([], 0), "concat: needs at least one operand"],
    [() => a.reshape([3, "T"]), "reshape: [B, T] does not hold as many elements as [3, T]"],
    [() => a.broadcastTo(["T"]), "broadcast: [B, T] does not broadcast to [T]"],
    [() => a.transpose([0, 0]), "transpose: [0, 0] is no permutation of the axes of [B, T]"],
    [() => a.sum(2), "sum: axis 2 does not exist in a shape of rank 2"],
    [() => a.sum([0, -2]), "sum: an axis is named twice in [0, 0]"],
    [() => a.expandDims(4), "expandDims: axis 4 does not exist in a shape of rank 3"],
    [() => a.squeeze(0), "squeeze: axis 0 of [B, T] is not 1"],
    [() => b.slice(null, [1, 4]), "slice: [1, 4) lies outside axis 1 of [B, 3]"],
    [() => b.slice(null, [-4, null]), "slice: [-4, end) lies outside axis 1 of [B, 3]"],
    [() => a.slice(null, [0, "T+1"]), "slice: [0, T+1) lies outside axis 1 of [B, T]"],
    [() => a.slice(null, null, [0, 1]), "slice: 3 ranges for [B, T]"],
    [() => a.pad([0, -1], [0, 0]), "pad: [0, -1] before and [0, 0] after do not fit [B, T]"],
    [() => a.pad([0, 0.5], [0, 0]), "pad: [0, 0.5] before and [0, 0] after do not fit [B, T]"],
    [() => a.gather(a), "gather indices: takes int, not float [B, T]"],
    [() => a.gatherElements(ids), "gatherElements: data [B, T] and indices [T] differ beside axis 1"],
    [() => scatterAdd(ids, a, 0, 5), "scatterAdd: indices [T] do not stand at axis 0 of updates [B, T]"],
    [() => scatterElementsAdd(ids, a, 0, 5), "scatterElementsAdd: indices [T] and updates [B, T] differ"],
    [() => b.topK(4).values, "topK: no 4 largest along the last axis of [B, 3]"],
    [() => oneHot(a, 3), "oneHot: takes int, not float [B, T]"],
    [() => mask.sum(), "sum: takes float or int, not bool [B, T]"],
    [() => mask.less(mask), "less: takes float or int, not bool [B, T]"],
    [() => ids.mean(), "mean: takes float, not int [T]"],
    [() => ids.add(0.5), "constant: 0.5 is no int"],
    [() => constant([1, 2, 3], [2]), "constant: 3 numbers do not fill a shape of [2]"],
    [() => input("x", ["B T"]), '"B T" is no size'],
  ];
  for (const [build, message] of table) {
    it(message, () => {
      expect(build).throws(ShapeError, message);
    });
  }

  it("is an error for its user, not a bug", () => {
    expect(() => a.add(b)).throws(ProximalError);
  });
});

describe("shapes are known when an expression is built", () => {
  const table: [expr: Expr, shape: string][] = [
    [a.add(constant(1)), "[B, T]"],
    [input("c", [1, "T"]).add(input("d", ["B", 1])), "[B, T]"],
    [input("c", ["K"]).add(input("d", ["B", "T", 1])), "[B, T, K]"],
    [a.matmul(b, { transposeA: true }), "[T, 3]"],
    [input("c", ["B", 1, "T", 4]).matmul(input("d", ["H", 4, 5])), "[B, H, T, 5]"],
    [a.sum(), "[]"],
    [a.sum(-1), "[B]"],
    [a.mean(0, true), "[1, T]"],
    [a.logSoftmax(), "[B, T]"],
    [a.logSumExp(0), "[T]"],
    [a.slice([1, 3], [2, -1]), "[2, T-3]"],
    [a.pad([1, 0], [0, "K"]), "[B+1, K+T]"],
    [concat([a, b, a], 1), "[B, 2*T+3]"],
    [iota("T-1"), "[T-1]"],
    [input("table", ["V", "D"]).gather(mask.cast("int")), "[B, T, D]"],
    [oneHot(ids, "V"), "[T, V]"],
    [a.topK(2).indices, "[B, 2]"],
    [input("c", [6, "T", 2]).reshape(["T", 3, 4]), "[T, 3, 4]"],
  ];
  for (const [expr, shape] of table) it(`${expr.op} ${shape}`, () => expect(formatShape(expr.shape)).equal(shape));

  it("and what changes nothing is no node", () => {
    for (const same of [
      a.reshape(["B", "T"]),
      a.transpose([0, 1]),
      a.broadcastTo(["B", "T"]),
      a.slice(null, [0, "T"]),
      a.pad([0, 0], [0, 0]),
      a.cast("float"),
      a.sum([]),
    ]) {
      expect(same).equal(a);
    }
  });

  it("matches the evaluated shape where an axis is known by number only", () => {
    const [value] = evaluate([iota(3).expandDims(0).add(iota(2).expandDims(1))], {});
    expect(value).deep.equal({ shape: [2, 3], data: Int32Array.of(0, 1, 2, 1, 2, 3) });
  });
});
