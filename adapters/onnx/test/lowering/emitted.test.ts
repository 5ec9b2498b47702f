import {
  concat,
  constant,
  customGradient,
  EngineError,
  type Expr,
  gradient,
  guard,
  input,
  scatterAdd,
  stopGradient,
  where,
} from "@proximal/core";
import { expect } from "chai";
import { type LowerOptions, lower } from "../../src/index.js";
import { operatorsOf } from "../support.js";

const [B, T, D] = [4, 6, 8];
const x = input("x", [B, T, D]);
const y = input("y", [B, T, D]);
const row = input("row", [D]);
const w = input("w", [D, D]);
const operators = (e: Expr | readonly Expr[], options: Omit<LowerOptions, "outputs"> = {}) =>
  operatorsOf(lower({ outputs: Object.fromEntries((Array.isArray(e) ? e : [e as Expr]).map((root, i) => [`out${i}`, root])), ...options }))
    .all;

describe("emitted operators", () => {
  const half = D / 2;
  const [left, right] = [x.slice(null, null, [0, half]), x.slice(null, null, [half, null])];
  const exactly: Record<string, readonly [Expr | readonly Expr[], string[]]> = {
    "a broadcast operand is broadcast by the operator": [x.add(row.broadcastTo([B, T, D])), ["Add"]],
    "a broadcast result is computed small": [row.broadcastTo([B, T, D]).exp().mul(2).sum(), ["Exp", "ReduceSum", "Mul"]],
    "a sum over a broadcast axis is a multiple": [row.broadcastTo([B, D]).sum(0), ["Mul"]],
    "numbers are computed before": [x.mul(constant(2).exp().add(1).mul(3)), ["Mul"]],
    "factors are joined": [x.mul(2).mul(3).neg(), ["Mul"]],
    "x + (−y) is x − y": [x.add(y.neg()), ["Sub"]],
    "1 − x is one operator": [x.neg().add(1), ["Sub"]],
    "−(x − y) is y − x": [x.sub(y).neg(), ["Sub"]],
    "x² is a product": [x.pow(2), ["Mul"]],
    "√x by a power": [x.pow(0.5), ["Sqrt"]],
    "a division by a power of two is a product": [x.div(8), ["Mul"]],
    "a sum of squares": [x.square().sum(), ["ReduceSumSquare"]],
    "a minimum over an axis": [x.reduceMin(1), ["ReduceMin"]],
    "a mean": [x.mean(-1), ["ReduceSum", "Mul"]],
    "equal expressions are computed once": [x.exp().add(x.exp()), ["Exp", "Add"]],
    "equal expressions are computed once over several outputs": [
      [x.exp().add(1), x.exp().mul(2)],
      ["Exp", "Add", "Mul"],
    ],
    "transposes go into the product": [x.transpose([0, 2, 1]).matmul(y), ["FusedMatMul"]],
    "two transposes cancel": [x.transpose([1, 0, 2]).transpose([1, 0, 2]).add(1), ["Add"]],
    "axes of size 1 are moved without a copy": [x.expandDims(2).transpose([0, 2, 1, 3]), ["Reshape"]],
    "reshapes are joined": [x.reshape([B * T, D]).reshape([B, T * D]), ["Reshape"]],
    "what only the gradient sees costs nothing": [stopGradient(customGradient(x.add(1), [x], (g) => [g])), ["Add"]],
    "a condition known before": [where(constant(1).less(2), x.neg(), y), ["Neg"]],
    "a split and its gradient: no zeros are written": [gradient(left.mul(right).sum(), [x])[0]!, ["Slice", "Slice", "Concat"]],
    "pieces joined step by step are joined once": [concat([concat([x, y], 1), x], 1), ["Concat"]],
    "the gradient of a weight is one product over all rows": [
      gradient(x.matmul(w).mul(y).sum(), [w])[0]!,
      ["Reshape", "Reshape", "FusedMatMul"],
    ],
    "the gradient of a transposed weight too": [
      gradient(x.matmul(w, { transposeB: true }).mul(y).sum(), [w])[0]!,
      ["Reshape", "Reshape", "FusedMatMul"],
    ],
    "an input as output is copied": [x, ["Identity"]],
    "one expression as two outputs is copied": [
      [x.exp(), x.exp()],
      ["Exp", "Identity"],
    ],
  };
  for (const [name, [e, expected]] of Object.entries(exactly)) {
    it(`${name}: ${expected.join(", ")}`, () => {
      expect(operators(e)).to.deep.equal(expected);
    });
  }

  it("a guard keeps equal expressions apart", () => {
    const again = guard(x, y);
    expect(operators(x.exp().add(again.exp())).filter((operator) => operator === "Exp").length).to.equal(2);
  });

  it("WebGPU gets products without fused transposes", () => {
    expect(operators(x.transpose([0, 2, 1]).matmul(y), { profile: "webgpu" })).to.deep.equal(["Transpose", "MatMul"]);
  });

  it("a small axis is scattered into by a product, a large one by ScatterElements", () => {
    const ids = input("ids", [B, T], "int");
    expect(operators(scatterAdd(ids, x, 0, 64)))
      .to.include("MatMul")
      .and.not.include("ScatterElements");
    expect(operators(scatterAdd(ids, x, 0, 4096)))
      .to.include("ScatterElements")
      .and.not.include("MatMul");
  });

  it("data of constants is written once", () => {
    const data = Float64Array.from({ length: 10_000 }, (_, i) => i);
    const bytes = (n: number) =>
      lower({ outputs: { sum: Array.from({ length: n }, (): Expr => constant(data)).reduce((a, b) => a.add(b)) } }).bytes.length;
    expect(bytes(4) - bytes(1)).to.be.below(500);
  });
});

describe("lower", () => {
  const failure = (options: LowerOptions): EngineError => {
    try {
      lower(options);
    } catch (error) {
      return error as EngineError;
    }
    throw new Error("it did not fail");
  };

  it("describes inputs and outputs with their bound sizes and types", () => {
    const p = input("p", ["B", "2*T"]);
    const graph = lower({ outputs: { sum: p.sum(1), ids: p.argmax(1), large: p.less(1) }, dims: { B: 3, T: 4 }, dtype: "float64" });
    expect(graph.inputs).to.deep.equal([{ name: "p", type: "float64", shape: [3, 8] }]);
    expect(graph.outputs.map(({ name, type, shape }) => [name, type, shape])).to.deep.equal([
      ["sum", "float64", [3]],
      ["ids", "int64", [3]],
      ["large", "bool", [3, 8]],
    ]);
  });

  it("leaves out inputs that nothing reads any more", () => {
    expect(lower({ outputs: { y: where(constant(1).less(2), x, y) } }).inputs.map(({ name }) => name)).to.deep.equal(["x"]);
  });

  for (const [mistake, options, message] of [
    ["an output with the name of an input", { outputs: { x: x.neg() } }, "the output x has the name of an input"],
    ["two inputs with one name", { outputs: { a: x.sum().add(input("x", [2]).sum()) } }, "two inputs are called x"],
    ["float64 on WebGPU", { outputs: { a: x.neg() }, dtype: "float64", profile: "webgpu" }, "WebGPU has no float64"],
    [
      "a size that nothing binds",
      { outputs: { a: constant(1).broadcastTo(["N"]) } },
      "the size N is neither bound nor the size of an input",
    ],
  ] as const) {
    it(`names ${mistake}`, () => {
      const error = failure(options as LowerOptions);
      expect(error).to.be.instanceOf(EngineError);
      expect(error.message).to.equal(message);
    });
  }
});
