import { expect } from "chai";
import fc from "fast-check";
import {
  constant,
  customGradient,
  type Expr,
  evaluate,
  external,
  gradient,
  guard,
  hashExprs,
  input,
  printExpr,
  simplify,
  stopGradient,
  tensor,
  topologicalOrder,
  where,
  zerosLike,
} from "../../src/tensor/index.js";

const [x, y] = [input("x", ["B", "T"]), input("y", ["B", "T"])];
const i = input("i", ["T"], "int");
const body = (expr: Expr) =>
  printExpr(simplify([expr]))
    .split("\n")
    .filter((line) => !line.includes("= input"));
const count = (exprs: readonly Expr[]) => topologicalOrder(exprs).length;

describe("simplify", () => {
  const table: [name: string, expr: Expr, result: Expr][] = [
    ["x · 1", x.mul(1), x],
    ["1 · x", constant(1).mul(x), x],
    ["x · (−1)", x.mul(-1), x.neg()],
    ["x / 1", x.div(1), x],
    ["x ^ 1", x.pow(1), x],
    ["x − 0", x.sub(0), x],
    ["x + (−0)", x.add(-0), x],
    ["e^x + 0, which is never −0", x.exp().add(0), x.exp()],
    ["i + 0 of integers", i.add(0), i],
    ["−(−x)", x.neg().neg(), x],
    ["not not", x.less(y).not().not(), x.less(y)],
    ["sg[sg[x]]", stopGradient(stopGradient(x.exp())), stopGradient(x.exp())],
    ["x + (−y)", x.add(y.neg()), x.sub(y)],
    ["−x + y", x.neg().add(y), y.sub(x)],
    ["x − (−y)", x.sub(y.neg()), x.add(y)],
    ["literals", x.add(constant(2).mul(3).add(constant(4).exp())), x.add(6 + Math.exp(4))],
    ["literals of integers", i.add(constant(7, [], "int").div(2)), i.add(3)],
    ["where(true, x, y)", where(constant(1).less(2), x, y), x],
    ["where(c, x, x)", where(x.less(y), x.exp(), x.exp()), x.exp()],
    ["a broadcast that the operator does anyway", x.add(constant(3).broadcastTo(["B", "T"])), x.add(3)],
    ["two transpositions", x.transpose().exp().transpose().transpose(), x.transpose().exp()],
    ["two reshapes", x.reshape(["B", 1, "T"]).reshape(["T", "B"]), x.reshape(["T", "B"])],
    ["a sum that gets its axis back", x.sum(1).reshape(["B", 1]), x.sum(1, true)],
    ["a maximum that loses its axis", x.reduceMax(1, true).reshape(["B"]), x.reduceMax(1)],
    ["two broadcasts", x.broadcastTo([2, "B", "T"]).broadcastTo([3, 2, "B", "T"]).exp(), x.broadcastTo([3, 2, "B", "T"]).exp()],
  ];
  for (const [name, expr, result] of table) {
    it(`rewrites ${name}`, () => {
      expect(body(expr)).deep.equal(
        printExpr(result)
          .split("\n")
          .filter((line) => !line.includes("= input")),
      );
    });
  }

  const kept: [name: string, expr: Expr][] = [
    ["x + 0, since −0 + 0 is 0", x.add(0)],
    ["x · 0, since 0 · NaN is NaN", x.mul(0)],
    ["x · zeros", x.mul(zerosLike(x).reshape(["T", "B"]).transpose())],
    ["0 / x", constant(0).div(x)],
    ["x − x", x.sub(x)],
    ["x / x", x.div(x)],
    ["0 − x, since 0 − 0 is not −0", constant(0).sub(x)],
    ["both broadcasts where each gives the shape", input("r", ["T"]).broadcastTo(["B", "T"]).exp()],
  ];
  for (const [name, expr] of kept) {
    it(`keeps ${name}`, () => {
      expect(body(expr)).deep.equal(
        printExpr(expr)
          .split("\n")
          .filter((line) => !line.includes("= input")),
      );
    });
  }

  it("keeps one broadcast where the operands alone would not give the shape", () => {
    const wide = (v: Expr) => v.broadcastTo([4, "B", "T"]);
    const [result] = simplify([wide(x).add(wide(y))]);
    expect(result!.shape).deep.equal([4, "B", "T"]);
    expect(topologicalOrder([result!]).filter((node) => node.op === "broadcast").length).equal(1);
  });

  it("merges equal subexpressions but no guards, custom gradients or calls", () => {
    expect(count(simplify([x.exp().add(x.exp())]))).equal(3);
    expect(count(simplify([guard(x, y).add(guard(x, y))]))).equal(5);
    expect(count(simplify([customGradient(x, [y], () => [null]).add(customGradient(x, [y], () => [null]))]))).equal(5);
    const call = () =>
      external(
        "F",
        [x.mul(1)],
        [0, 1].map(() => ({ shape: ["B"], dtype: "float" as const })),
      );
    const [first, second] = [call(), call()];
    expect(count(simplify([first[0]!.add(first[1]!), first[0]!.add(second[0]!)]))).equal(6);
  });

  it("leaves inputs and roots in place and shares between roots", () => {
    const [a, b, c] = simplify([x, x.exp().mul(1), x.exp()]);
    expect(a).equal(x);
    expect(b).equal(c);
  });

  it("simplifies what is simple to itself", () => {
    const simple = simplify([gradient(x.softmax().mul(y).sum(), [x])[0]!]);
    expect(simplify(simple)).deep.equal(simple);
  });

  /** Random expressions over x [2, 3] and r [3], rich in the patterns that the rules look for. */
  const rows = input("r", [3]);
  const leaf = fc.oneof(
    fc.constant(input("x", [2, 3])),
    fc.constant(rows),
    fc.constantFrom(0, -0, 1, -1, 2.5, Number.NaN, Number.POSITIVE_INFINITY).map((v) => constant(v)),
  );
  const { tree } = fc.letrec<{ tree: Expr }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "medium", withCrossShrink: true },
      leaf,
      fc.tuple(fc.constantFrom("add", "sub", "mul", "div", "min", "max"), tie("tree"), tie("tree")).map(([op, a, b]) => a[op as "add"](b)),
      fc.tuple(fc.constantFrom("neg", "exp", "abs", "tanh", "stopGradient"), tie("tree")).map(([op, a]) => a[op as "neg"]()),
      fc.tuple(tie("tree"), tie("tree"), tie("tree")).map(([c, a, b]) => where(c.less(0.3), a, b)),
      tie("tree").map((a) => a.broadcastTo([2, 3])),
      tie("tree").map((a) => (a.rank > 0 ? a.sum(-1, true) : a.sum())),
      tie("tree").map((a) => (a.rank > 0 ? a.sum(-1).expandDims(-1) : a)),
      tie("tree").map((a) => a.transpose().exp().transpose()),
    ),
  }));
  const special = fc.array(fc.constantFrom(0, -0, 1, -1, 0.5, -3, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY), {
    minLength: 9,
    maxLength: 9,
  });

  it("preserves every value bit for bit, zeros' signs and NaN included", () => {
    fc.assert(
      fc.property(tree, special, (expr, values) => {
        const feeds = { x: tensor(values.slice(0, 6), [2, 3]), r: tensor(values.slice(6)) };
        const [plain] = evaluate([expr], feeds);
        const [simple] = evaluate(simplify([expr]), feeds);
        expect(simple!.shape).deep.equal(plain!.shape);
        expect([...plain!.data].every((value, at) => Object.is(value, simple!.data[at]))).equal(true);
      }),
      { numRuns: 500 },
    );
  });

  it("preserves gradients bit for bit", () => {
    const feeds = { x: tensor([0.3, -1, 2, 0.5, 0.1, -0.2], [2, 3]), y: tensor([1, 0, -1, 0.5, 2, 0.2], [2, 3]) };
    const ratio = x.sub(y).exp();
    const losses = [ratio.min(ratio.clip(0.8, 1.2)).mean(), x.softmax().mul(y).sum(), x.logSumExp().sub(y.sum(1)).sigmoid().sum()];
    for (const loss of losses) {
      const gradients = gradient(loss, [x, y]);
      expect(evaluate(simplify(gradients), feeds)).deep.equal(evaluate(gradients, feeds));
      expect(count(simplify(gradients))).most(count(gradients));
    }
  });
});

describe("hashExprs", () => {
  const build = (name = "x") => {
    const v = input(name, ["B", 3]);
    return [v.exp().mul(2).sum(1), v.exp()];
  };

  it("is 64 hex digits that stay the same from version to version", () => {
    expect(hashExprs([input("x", ["B"]).add(1)])).equal("dae5022245f9b6eb1b9a69d940b4658a7ed3929bf285ae2baef344a2c2bc5f17");
  });

  it("does not depend on ids, on copies or on the order of building", () => {
    const first = hashExprs(build());
    input("unused", []);
    expect(hashExprs(build())).equal(first);
    const v = input("x", ["B", 3]);
    const shared = v.exp();
    expect(hashExprs([shared.mul(2).sum(1), shared])).equal(first);
    expect(hashExprs(simplify(build()))).equal(first);
  });

  it("tells apart what computes something else", () => {
    const v = input("x", [2]);
    const [g, h] = [guard(v, v), guard(v, v)];
    const call = () => external("F", [v], [{ shape: [2], dtype: "float" }], { attributes: { alpha: 1 } })[0]!;
    const [c, d] = [call(), call()];
    const different: Expr[][] = [
      [v],
      [v, v],
      [input("y", [2])],
      [input("x", [3])],
      [input("x", ["T"])],
      [input("x", [2], "int")],
      [v.add(1)],
      [v.add(2)],
      [v.add(constant(1, [1]))],
      [v.add(0)],
      [v.add(-0)],
      [v.add(Number.NaN)],
      [v.add(constant([1, 2]))],
      [v.add(constant([1, 3]))],
      [v.sub(1)],
      [constant(1).sub(v)],
      [v.sum()],
      [v.sum(0, true)],
      [v.cumsum(0)],
      [v.cumsum(0, { reverse: true })],
      [v.exp(), v.log()],
      [v.log(), v.exp()],
      [g.add(g)],
      [g.add(h)],
      [c.add(c)],
      [c.add(d)],
      [external("F", [v], [{ shape: [2], dtype: "float" }], { attributes: { alpha: 2 } })[0]!],
      [external("F", [v], [{ shape: [2], dtype: "float" }], { attributes: { alpha: 1n } })[0]!],
      [external("F", [v], [{ shape: [2], dtype: "float" }], { attributes: { alpha: Number.NaN } })[0]!],
      [external("F", [v], [{ shape: [2], dtype: "float" }], { attributes: { alpha: null } })[0]!],
      [call()],
    ];
    const hashes = different.map(hashExprs);
    expect(new Set(hashes).size).equal(different.length);
  });

  it("does not depend on the order of an operator's attributes", () => {
    const v = input("x", [2]);
    const call = (attributes: Record<string, unknown>) => hashExprs(external("F", [v], [{ shape: [2], dtype: "float" }], { attributes }));
    expect(call({ a: 1, b: [1, 2] })).equal(call({ b: [1, 2], a: 1 }));
  });
});
