import { type Expr, type Feeds, gradient, input, iota, tensor, where } from "@proximal/core";
import { expect } from "chai";
import { compare } from "../support.js";

const wave = (shape: readonly number[], phase: number, scale = 0.5) =>
  tensor(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => scale * Math.sin(i * 1.37 + phase)),
    shape,
  );

interface Model {
  loss: Expr;
  parameters: Record<string, Expr>;
  feeds: Feeds;
}

/** Tokens → embedding → two layers → log-probability of the target. */
function perceptron(): Model {
  const [B, T, V, D, H] = [3, 4, 11, 6, 10];
  const shapes = { table: [V, D], w1: [D, H], b1: [H], w2: [H, V], b2: [V] };
  const parameters = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, input(name, shape)]));
  const { table, w1, b1, w2, b2 } = parameters as Record<keyof typeof shapes, Expr>;
  const [ids, targets] = [input("ids", ["B", "T"], "int"), input("targets", ["B", "T"], "int")];
  const hidden = table.gather(ids).matmul(w1).add(b1);
  const activated = hidden.mul(hidden.div(Math.SQRT2).erf().add(1)).mul(0.5);
  const logp = activated.matmul(w2).add(b2).logSoftmax().gatherElements(targets.expandDims(-1)).squeeze(-1);
  const ratio = logp.sub(input("old", ["B", "T"])).exp();
  const advantages = input("advantages", ["B", 1]);
  const loss = ratio
    .mul(advantages)
    .min(ratio.clip(0.8, 1.2).mul(advantages))
    .mul(input("mask", ["B", "T"]))
    .sum()
    .neg();
  const tokens = (step: number) =>
    tensor(
      Array.from({ length: B * T }, (_, i) => (i * step + 3) % V),
      [B, T],
      "int",
    );
  return {
    loss,
    parameters,
    feeds: {
      ...Object.fromEntries(Object.entries(shapes).map(([name, shape], i) => [name, wave(shape, i)])),
      ids: tokens(5),
      targets: tokens(7),
      old: tensor(
        Array.from({ length: B * T }, (_, i) => -2.4 + 0.1 * Math.cos(i)),
        [B, T],
      ),
      advantages: tensor([1, -0.5, 0.25], [B, 1]),
      mask: tensor([1, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 1], [B, T]),
    },
  };
}

/** Causal attention with two query heads to a key head, RMS norm and rotation of half the features. */
function attention(): Model {
  const [B, T, H, R, D] = [2, 5, 2, 2, 4];
  const width = 12;
  const shapes = { norm: [width], wq: [width, H * R * D], wk: [width, H * D], wv: [width, H * D], wo: [H * R * D, width] };
  const parameters = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, input(name, shape)]));
  const { norm, wq, wk, wv, wo } = parameters as Record<keyof typeof shapes, Expr>;
  const x = input("x", [B, T, width]);
  const normed = x.mul(x.square().mean(-1, true).add(1e-6).pow(-0.5)).mul(norm);
  const angle = iota(T).cast("float").reshape([T, 1, 1]).mul(0.3);
  const rotate = (heads: Expr) => {
    const [a, b] = [heads.slice(null, null, null, [0, D / 2]), heads.slice(null, null, null, [D / 2, null])];
    const [cos, sin] = [angle.cos(), angle.sin()];
    const turned = [a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin))];
    return turned[0]!.pad([0, 0, 0, 0], [0, 0, 0, D / 2]).add(turned[1]!.pad([0, 0, 0, D / 2], [0, 0, 0, 0]));
  };
  const q = rotate(normed.matmul(wq).reshape([B, T, H * R, D]))
    .reshape([B, T, H, R, D])
    .transpose([0, 2, 3, 1, 4]);
  const k = rotate(normed.matmul(wk).reshape([B, T, H, D]))
    .transpose([0, 2, 1, 3])
    .expandDims(2);
  const v = normed.matmul(wv).reshape([B, T, H, D]).transpose([0, 2, 1, 3]).expandDims(2);
  const scores = q.matmul(k, { transposeB: true }).mul(1 / Math.sqrt(D));
  const causal = iota(T)
    .reshape([1, T])
    .lessEqual(iota(T).reshape([T, 1]));
  const weights = where(causal, scores, -1e30).softmax();
  const seen = weights
    .matmul(v)
    .transpose([0, 3, 1, 2, 4])
    .reshape([B, T, H * R * D]);
  return {
    loss: x.add(seen.matmul(wo)).softplus().square().mean(),
    parameters: { ...parameters, x },
    feeds: {
      ...Object.fromEntries(Object.entries(shapes).map(([name, shape], i) => [name, wave(shape, i)])),
      x: wave([B, T, width], 9, 1),
    },
  };
}

describe("lowered gradients", () => {
  for (const [name, { loss, parameters, feeds }] of Object.entries({ perceptron: perceptron(), attention: attention() })) {
    const outputs: Record<string, Expr> = { loss };
    gradient(loss, Object.values(parameters)).forEach((g, i) => {
      outputs[`d loss / d ${Object.keys(parameters)[i]}`] = g;
    });
    for (const [target, options, tolerance] of [
      ["float64", { dtype: "float64" }, 1e-12],
      ["float32", {}, 1e-5],
      ["float32 with WebGPU's operators", { profile: "webgpu" }, 1e-5],
    ] as const) {
      it(`of a ${name} agree in ${target} with the reference, to ${tolerance} in each tensor's norm`, async () => {
        expect((await compare(outputs, feeds, options)).error).to.be.below(tolerance);
      });
    }
  }

  it("of a perceptron with symbolic sizes agree with the reference to 1e-5", async () => {
    const { loss, parameters, feeds } = perceptron();
    const outputs = Object.fromEntries(gradient(loss, Object.values(parameters)).map((g, i) => [`g${i}`, g]));
    expect((await compare(outputs, feeds, { symbolic: true })).error).to.be.below(1e-5);
  });

  it("are not touched by NaN in what a condition leaves out", async () => {
    const x = input("x", [4]);
    const kept = input("kept", [4], "bool");
    const loss = where(kept, x.log(), 0).sum();
    const { error } = await compare(
      { gradient: gradient(loss, [x])[0]! },
      { x: tensor([1, -1, 2, Number.NaN]), kept: tensor([1, 0, 1, 0], [4], "bool") },
    );
    expect(error).to.be.below(1e-6);
  });
});
