import { expect } from "chai";
import {
  concat,
  constant,
  type Expr,
  evaluate,
  external,
  type Feeds,
  gradient,
  guard,
  input,
  iota,
  tensor,
  where,
} from "../../src/tensor/index.js";

const run = (expr: Expr, feeds: Feeds = {}, sizes: Record<string, number> = {}) => {
  const [value] = evaluate([expr], feeds, sizes);
  return { shape: value!.shape, data: [...value!.data] };
};

describe("evaluate", () => {
  const x = input("x", ["A", "B"]);
  const matrix = tensor([
    [1, -2, 3],
    [4, 5, -6],
  ]);
  it("computes each primitive on a matrix", () => {
    const y = input("y", [2, 3]);
    const at = (expr: Expr) => run(expr, { y: matrix });
    expect(at(y.add(constant([10, 20, 30]))).data).deep.equal([11, 18, 33, 14, 25, 24]);
    expect(at(y.sum(0)).data).deep.equal([5, 3, -3]);
    expect(at(y.reduceMax(1, true))).deep.equal({ shape: [2, 1], data: [3, 5] });
    expect(at(y.transpose())).deep.equal({ shape: [3, 2], data: [1, 4, -2, 5, 3, -6] });
    expect(at(y.matmul(y, { transposeB: true }))).deep.equal({ shape: [2, 2], data: [14, -24, -24, 77] });
    expect(at(y.cumsum(1, { exclusive: true })).data).deep.equal([0, 1, -1, 0, 4, 9]);
    expect(at(y.topK(2).indices).data).deep.equal([2, 0, 1, 0]);
    expect(at(y.slice(null, [-2, null]).pad([1, 0], [0, 1]))).deep.equal({ shape: [3, 3], data: [0, 0, 0, -2, 3, 0, 5, -6, 0] });
    expect(at(concat([y, y], 0)).shape).deep.equal([4, 3]);
    expect(at(where(y.less(0), 0, y)).data).deep.equal([1, 0, 3, 4, 5, 0]);
    expect(at(gradient(y.mul(y).sum(), [y])[0]!).data).deep.equal([2, -4, 6, 8, 10, -12]);
    expect(at(guard(y, y)).data).deep.equal([...matrix.data]);
  });

  it("binds a symbol from a derived size and uses it everywhere", () => {
    const logits = input("logits", ["T-1"]);
    expect(run(iota("T"), {}, { T: 3 }).data).deep.equal([0, 1, 2]);
    const padded = logits.pad([1], [0]);
    expect(padded.shape).deep.equal(["T"]);
    expect(run(padded, { logits: tensor([5, 6]) }).data).deep.equal([0, 5, 6]);
  });

  it("refuses what only a runtime can compute", () => {
    const [y] = external("Gelu", [x], [{ shape: ["A", "B"], dtype: "float" }], { domain: "com.microsoft" });
    expect(() => run(y!, { x: matrix })).throws("com.microsoft.Gelu is a runtime's own operator");
  });
});
