import { constant, type Expr, where } from "@proximal/core";
import type { RuleTable } from "./rule.js";

/**
 * log(1 + x) with small relative error near 0: with u = 1 + x rounded, log(u) + (x − (u − 1)) / u.
 * Where u − 1 = x exactly (also at −1 and ∞) it is log(u).
 */
function log1p(x: Expr): Expr {
  const u = x.add(1);
  const back = u.sub(1);
  return where(back.equal(x), u.log(), u.log().add(x.sub(back).div(u)));
}

/** exp(x) − 1 = tanh(x/2) (exp(x) + 1). */
const expm1 = (x: Expr): Expr => x.mul(0.5).tanh().mul(x.exp().add(1));

/** log(1 + exp(x)) = max(x, 0) + log1p(exp(−|x|)). The runtime's own has no float64 kernel and loses small values. */
const softplus = (x: Expr): Expr => x.max(0).add(log1p(x.abs().neg().exp()));

/** Nodes and weights of n-point Gauss–Legendre quadrature on [0, 1], by Newton's method on the Legendre polynomial. */
function gaussLegendre(n: number): { nodes: number[]; weights: number[] } {
  const nodes: number[] = [];
  const weights: number[] = [];
  for (let i = 0; i < n; i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 0;
    for (let round = 0; round < 100; round++) {
      let [previous, value] = [1, x];
      for (let k = 2; k <= n; k++) [previous, value] = [value, ((2 * k - 1) * x * value - (k - 1) * previous) / k];
      slope = (n * (x * value - previous)) / (x * x - 1);
      const step = value / slope;
      x -= step;
      if (Math.abs(step) < 1e-16) break;
    }
    nodes.push((1 - x) / 2);
    weights.push(1 / ((1 - x * x) * slope * slope));
  }
  return { nodes, weights };
}

const quadrature = gaussLegendre(32);

/** erf(x) = 2x/√π ∫₀¹ exp(−x²t²) dt by quadrature; |x| ≥ 6 rounds to ±1. Error below 1e-14: for float64, which lacks a kernel. */
function erf(x: Expr): Expr {
  const y = x.clip(-6, 6);
  const squares = constant(quadrature.nodes.map((t) => -t * t));
  const integral = y.square().expandDims(-1).mul(squares).exp().mul(constant(quadrature.weights)).sum(-1);
  return y.mul(integral).mul(2 / Math.sqrt(Math.PI));
}

/** 1, 0 or −1; NaN stays. */
const sign = (x: Expr): Expr => where(x.equal(x), constant(0).less(x).cast("float").sub(x.less(0).cast("float")), x);

/** Primitives without a kernel, written with others. */
export const compositions: Record<"always" | "float64" | "webgpu", RuleTable> = {
  always: {
    log1p: (_, [x]) => log1p(x!),
    expm1: (_, [x]) => expm1(x!),
    softplus: (_, [x]) => softplus(x!),
    // The runtime's Where takes no booleans.
    where: (node, [condition, a, b]) => (node.dtype === "bool" ? condition!.and(a!).or(condition!.not().and(b!)) : undefined),
  },
  // The runtime's sigmoid computes 1 − σ(−x) below 0: in float64 that would cost the digits that float64 is used for.
  float64: { erf: (_, [x]) => erf(x!), sigmoid: (_, [x]) => x!.neg().exp().add(1).reciprocal() },
  webgpu: { sign: (_, [x]) => sign(x!) },
};
