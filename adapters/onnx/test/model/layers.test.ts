import { constant, type Expr, evaluate, gradient, input, Random, type TensorValue, tensor } from "@proximal/core";
import { expect } from "chai";
import {
  arrangeWeights,
  completeConfig,
  gelu,
  layerNorm,
  parameterInputs,
  parameterTable,
  rmsNorm,
  rope,
  ropeTables,
  silu,
  softmax,
  transformer,
} from "../../src/model/index.js";

const random = new Random(3);
const normal = (shape: number[], scale = 1): TensorValue =>
  tensor(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => scale * random.normal()),
    shape,
  );

const fixed = ({ data, shape }: TensorValue): Expr => constant([...data], shape);

/** Worst error of d(Σ c·f)/dx against central differences, relative to the largest entry. */
function worstError(f: (x: Expr) => Expr, x: TensorValue): number {
  const variable = input("x", x.shape);
  const y = f(variable);
  const loss = y.mul(fixed(normal(y.shape as number[]))).sum();
  const [g] = evaluate(gradient(loss, [variable]), { x });
  const step = 1e-6;
  const at = (i: number, by: number) => {
    const data = Float64Array.from(x.data);
    data[i]! += by;
    return evaluate([loss], { x: { ...x, data } })[0]!.data[0]!;
  };
  const numeric = Array.from(g!.data, (_, i) => (at(i, step) - at(i, -step)) / (2 * step));
  const peak = Math.max(...numeric.map(Math.abs));
  return Math.max(...numeric.map((value, i) => Math.abs(value - g!.data[i]!))) / peak;
}

const architecture = {
  model_type: "qwen3" as const,
  vocab_size: 11,
  hidden_size: 8,
  intermediate_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 6,
  max_position_embeddings: 32,
  rope_theta: 10_000,
  rms_norm_eps: 1e-6,
  tie_word_embeddings: false,
  attention_bias: true,
  initializer_range: 0.5,
};

describe("layers", () => {
  const positions = constant(Int32Array.of(0, 3, 5), [3], "int");
  const config = completeConfig(architecture);
  const weight = fixed(normal([8]));
  const states = fixed(normal([3, 8]));
  for (const [name, f, shape] of [
    ["rmsNorm", (x: Expr) => rmsNorm(x, weight, 1e-6), [3, 8]],
    ["rmsNorm of its weight", (w: Expr) => rmsNorm(states, w, 1e-6), [8]],
    ["layerNorm", (x: Expr) => layerNorm(x, weight, weight, 1e-5), [3, 8]],
    ["layerNorm of its weight", (w: Expr) => layerNorm(states, w, weight, 1e-5), [8]],
    ["layerNorm of its bias", (b: Expr) => layerNorm(states, weight, b, 1e-5), [8]],
    ["gelu", gelu, [3, 4]],
    ["rope", (x: Expr) => rope(x, ropeTables(config, positions, 6)), [3, 2, 6]],
    ["softmax", softmax, [3, 5]],
    ["silu", silu, [3, 5]],
  ] as const) {
    it(`the gradient of ${name} is that of central differences`, () => {
      expect(worstError(f, normal([...shape]))).to.be.below(1e-8);
    });
  }

  it("rotated products depend on the distance of the positions alone", () => {
    const [q, k] = [normal([1, 1, 6]), normal([1, 1, 6])];
    const product = (pq: number, pk: number) => {
      const at = (x: TensorValue, p: number) => rope(fixed(x), ropeTables(config, constant(Int32Array.of(p), [1], "int"), 32));
      return evaluate([at(q, pq).mul(at(k, pk)).sum()], {})[0]!.data[0]!;
    };
    expect(product(20, 13)).to.be.closeTo(product(9, 2), 1e-12);
  });

  it("recomputed blocks give the same gradients", () => {
    const table = parameterTable(config);
    const parameters = parameterInputs(table);
    const weights = arrangeWeights(config, parameters);
    const ids = constant(Int32Array.of(1, 4, 2), [3], "int");
    const tables = ropeTables(config, positions, 6);
    const feeds = Object.fromEntries(table.map((spec) => [spec.name, normal([...spec.shape], 0.3)]));
    const ownValue = ({ v }: { v: Expr }) => v.expandDims(2).broadcastTo([3, 2, 2, 6]).reshape([3, 4, 6]);
    const gradients = (recompute: boolean) => {
      const loss = transformer(config, weights, ids, tables, ownValue, { recompute }).square().mul(0.1).sum();
      return evaluate(gradient(loss, [...parameters.values()]), feeds);
    };
    const [kept, again] = [gradients(false), gradients(true)];
    expect(kept.some(({ data }) => data.some((x) => Math.abs(x) > 1e-3))).to.equal(true);
    expect(again.map(({ data }) => [...data])).to.deep.equal(kept.map(({ data }) => [...data]));
  });
});
