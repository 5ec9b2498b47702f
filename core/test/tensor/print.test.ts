import { expect } from "chai";
import {
  concat,
  constant,
  type Expr,
  formatEquation,
  gradient,
  input,
  iota,
  max,
  min,
  oneHot,
  printExpr,
  stopGradient,
  where,
} from "../../src/tensor/index.js";

const [logp, oldLogp, A] = ["logp", "oldLogp", "A"].map((name) => input(name, ["B", "T"])) as [Expr, Expr, Expr];
const mask = input("mask", ["B", "T"], "bool");
const z = input("z", ["B", "T", "V"]);
const w = input("w", ["V", 8]);
const ids = input("ids", ["B", "T"], "int");
const beta = input("beta", []);

describe("formatEquation", () => {
  const table: [expr: Expr, equation: string][] = [
    [logp.sub(oldLogp).exp(), "exp(logp − oldLogp)"],
    [logp.sub(oldLogp.sub(A)), "logp − (oldLogp − A)"],
    [logp.sub(oldLogp).sub(A), "logp − oldLogp − A"],
    [logp.add(oldLogp.sub(A)), "logp + oldLogp − A"],
    [logp.add(oldLogp).mul(A), "(logp + oldLogp)·A"],
    [logp.mul(oldLogp).mul(A.mul(2)), "logp·oldLogp·A·2"],
    [logp.div(oldLogp.mul(A)), "logp / (oldLogp·A)"],
    [logp.div(oldLogp).mul(A), "logp / oldLogp·A"],
    [logp.add(-0.5), "logp − 0.5"],
    [logp.neg().add(1), "1 − logp"],
    [logp.mul(A).neg(), "−logp·A"],
    [logp.add(A).neg(), "−(logp + A)"],
    [logp.mul(-2), "logp·(−2)"],
    [logp.neg().neg(), "−(−logp)"],
    [A.add(logp.neg().mul(A)), "A − logp·A"],
    [A.sub(logp.neg()), "A − (−logp)"],
    [A.div(logp.neg()), "A / (−logp)"],
    [logp.neg().add(A.neg()), "−logp − A"],
    [logp.square(), "logp²"],
    [logp.sub(A).pow(2), "(logp − A)²"],
    [logp.pow(A), "logp^A"],
    [logp.sub(A).sqrt(), "√(logp − A)"],
    [logp.sub(A).abs(), "|logp − A|"],
    [logp.sigmoid().log(), "log(σ(logp))"],
    [stopGradient(logp).mul(A), "sg[logp]·A"],
    [logp.clip(0.8, 1 + 0.2), "clip(logp, 0.8, 1.2)"],
    [max(min(logp, 1.2), 0.8), "clip(logp, 0.8, 1.2)"],
    [logp.clip(beta.neg(), beta), "clip(logp, −beta, beta)"],
    [logp.clip(null, 3), "min(logp, 3)"],
    [logp.max(oldLogp).min(A), "min(max(logp, oldLogp), A)"],
    [logp.sum(), "Σ(logp)"],
    [logp.sum(1), "Σ_T(logp)"],
    [z.sum([0, 2]), "Σ_{B,V}(z)"],
    [input("g", [4, 4]).sum(1), "Σ_{axis 1}(g)"],
    [logp.mean(1), "mean_T(logp)"],
    [input("g", [4, 4]).mean(), "mean(g)"],
    [logp.sum(1).div(mask.cast("float").sum(1).max(1)), "Σ_T(logp) / max(Σ_T(1[mask]), 1)"],
    [logp.reduceMax(1), "max_T(logp)"],
    [logp.reduceMin(1), "min_T(logp)"],
    [z.logSumExp(), "logsumexp_V(z)"],
    [z.logSoftmax(), "logsoftmax_V(z)"],
    [z.softmax().mul(z.logSoftmax()).sum(-1).neg(), "−Σ_V(softmax_V(z)·logsoftmax_V(z))"],
    [logp.less(0).and(mask.not()).cast("float"), "1[logp < 0 ∧ ¬mask]"],
    [logp.greater(0.5).or(logp.notEqual(A)), "logp > 0.5 ∨ logp ≠ A"],
    [constant(1).less(logp), "logp > 1"],
    [where(mask, logp, 0), "where(mask, logp, 0)"],
    [z.matmul(w), "z @ w"],
    [w.matmul(z, { transposeA: true, transposeB: true }), "wᵀ @ zᵀ"],
    [w.transpose(), "wᵀ"],
    [logp.slice(null, [1, null]).sub(logp.slice(null, [0, -1])), "logp[:, 1:] − logp[:, :T-1]"],
    [w.gather(ids), "w[ids]"],
    [z.gatherElements(ids.expandDims(-1)), "gatherElements(z, ids)"],
    [oneHot(ids, "V"), "1[ids = iota(V)]"],
    [concat([logp, A], 1), "concat(logp, A)"],
    [logp.cumsum(1, { reverse: true }), "cumsum_T(logp, reverse)"],
    [logp.expandDims(-1).mul(beta.broadcastTo(["B", "T", 1])), "logp·beta"],
    [logp.mul(1 / 3), "logp·0.333333"],
    [constant([1, 2, 3, 4, 5]), "[1, 2, 3, 4, …]"],
    [logp.max(Number.NEGATIVE_INFINITY), "max(logp, −∞)"],
  ];
  for (const [expr, equation] of table) it(equation, () => expect(formatEquation(expr)).equal(equation));

  const ratio = () => logp.sub(oldLogp).exp();

  it("gives the clipped surrogate as the papers write it", () => {
    const r = ratio();
    const surrogate = min(r.mul(A), r.clip(0.8, 1.2).mul(A));
    expect(formatEquation(surrogate, { names: new Map([[r, "r"]]) })).equal("min(r·A, clip(r, 0.8, 1.2)·A)\n  r = exp(logp − oldLogp)");
  });

  it("names what occurs more than once, copies included, with letters that no input has", () => {
    const a = input("a", ["B", "T"]);
    expect(formatEquation(min(ratio().mul(a), ratio().clip(0.8, 1.2).mul(a)))).equal(
      "min(b·a, clip(b, 0.8, 1.2)·a)\n  b = exp(logp − oldLogp)",
    );
    expect(formatEquation(logp.neg().mul(logp.neg().exp())), "a single operation is no burden").equal("−logp·exp(−logp)");
  });

  it("uses names inside of names", () => {
    const d = logp.sub(oldLogp);
    const r = d.exp();
    const names = new Map([
      [d, "d"],
      [r, "r"],
    ]);
    expect(formatEquation(r.sub(d).sub(1), { names })).equal("r − d − 1\n  r = exp(d)\n  d = logp − oldLogp");
  });

  it("breaks long lines", () => {
    const long = logp.sub(oldLogp).exp().mul(A).add(logp.sub(A).tanh()).mul(oldLogp.sigmoid());
    for (const line of formatEquation(long, { width: 30 }).split("\n")) expect(line.length).most(45);
  });
});

describe("printExpr", () => {
  it("gives a line a node, operands first, with types and shapes", () => {
    const r = logp.sub(oldLogp).exp();
    expect(printExpr(min(r.mul(A), r.clip(0.8, 1.2).mul(A)).sum(1)).split("\n")).deep.equal([
      "logp = input: float [B, T]",
      "oldLogp = input: float [B, T]",
      "%0 = sub(logp, oldLogp): float [B, T]",
      "%1 = exp(%0): float [B, T]",
      "A = input: float [B, T]",
      "%2 = mul(%1, A): float [B, T]",
      "%3 = max(%1, 0.8): float [B, T]",
      "%4 = min(%3, 1.2): float [B, T]",
      "%5 = mul(%4, A): float [B, T]",
      "%6 = min(%2, %5): float [B, T]",
      "%7 = sum(%6) {axes: [1], keepDims: false}: float [B]",
      "return %7",
    ]);
  });

  it("shows attributes, several roots and small constants", () => {
    const x = input("x", ["T"]);
    expect(printExpr([x.slice([1, null]).mul(constant([1, 2, 3]).sum()), iota("T")]).split("\n")).deep.equal([
      "x = input: float [T]",
      "%0 = slice(x) {starts: [1], ends: [end]}: float [T-1]",
      "%1 = constant {data: [1, 2, 3]}: float [3]",
      "%2 = sum(%1) {axes: [0], keepDims: false}: float []",
      "%3 = mul(%0, %2): float [T-1]",
      "%4 = iota {size: T}: int [T]",
      "return %3, %4",
    ]);
  });

  it("prints a gradient without running out of letters or lines", () => {
    const [g] = gradient(z.logSoftmax().gatherElements(ids.expandDims(-1)).sum(), [z]);
    expect(printExpr(g!).split("\n").at(-1)).match(/^return %\d+$/);
  });
});
