import { constant, EngineError, type Expr, evaluate, external, type Feeds, input, iota, tensor, where } from "@proximal/core";
import { expect } from "chai";
import { absent, lower } from "../../src/index.js";
import { numbers, relativeError, runGraph } from "../support.js";

const wave = (shape: readonly number[], step: number) =>
  tensor(
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * step)),
    shape,
  );

async function agree(own: Record<string, Expr>, reference: Record<string, Expr>, feeds: Feeds): Promise<void> {
  const results = await runGraph(lower({ outputs: own }), feeds);
  evaluate(Object.values(reference), feeds).forEach(({ data }, i) => {
    const name = Object.keys(reference)[i]!;
    expect(relativeError(numbers(results[name]!), data), name).to.be.below(1e-5);
  });
}

describe("external operators", () => {
  it("give several outputs from one node, with float attributes", async () => {
    const [x, weight] = [input("x", [3, 8]), input("weight", [8])];
    const [normed, inverse] = external(
      "SimplifiedLayerNormalization",
      [x, weight],
      [
        { shape: [3, 8], dtype: "float" },
        { shape: [3, 1], dtype: "float" },
      ],
      { attributes: { axis: -1, epsilon: 1e-5, stash_type: 1 } },
    );
    const scale = x.square().mean(-1, true).add(1e-5).pow(-0.5);
    await agree(
      { normed: normed!, inverse: inverse! },
      { normed: x.mul(scale).mul(weight), inverse: scale },
      { x: wave([3, 8], 1.3), weight: wave([8], 0.7) },
    );
  });

  it("may leave out inputs and take int32 through a cast", async () => {
    const [B, T, H, D] = [2, 3, 2, 8];
    const qkv = ["q", "k", "v"].map((name) => input(name, [B, T, H * D]));
    const int32 = (x: Expr) => external("Cast", [x], [{ shape: x.shape, dtype: "int" }], { attributes: { to: 6 } })[0]!;
    const cache = [B, H, T, D];
    const [seen] = external(
      "GroupQueryAttention",
      [...qkv, absent, absent, int32(constant([T - 1, T - 1], [B], "int")), int32(constant(T, [], "int"))],
      [[B, T, H * D], cache, cache].map((shape) => ({ shape, dtype: "float" })),
      { domain: "com.microsoft", attributes: { num_heads: H, kv_num_heads: H, scale: { float: 1 } } },
    );
    const [q, k, v] = qkv.map((x) => x.reshape([B, T, H, D]).transpose([0, 2, 1, 3])) as [Expr, Expr, Expr];
    const causal = iota(T)
      .reshape([1, T])
      .lessEqual(iota(T).reshape([T, 1]));
    const weights = where(causal, q.matmul(k, { transposeB: true }), -1e30).softmax();
    const expected = weights
      .matmul(v)
      .transpose([0, 2, 1, 3])
      .reshape([B, T, H * D]);
    const feeds = { q: wave([B, T, H * D], 1.1), k: wave([B, T, H * D], 0.6), v: wave([B, T, H * D], 2.3) };
    await agree({ seen: seen! }, { seen: expected }, feeds);
  });

  it("two calls with equal operands stay two nodes", () => {
    const draw = () => external("RandomUniformLike", [input("x", [4])], [{ shape: [4], dtype: "float" }])[0]!;
    expect(lower({ outputs: { difference: draw().sub(draw()) } }).nodes).to.equal(3);
  });

  it("name an attribute that ONNX cannot hold", () => {
    const broken = external("F", [input("x", [4])], [{ shape: [4], dtype: "float" }], { attributes: { axis: () => 1 } })[0]!;
    expect(() => lower({ outputs: { broken } })).to.throw(EngineError, "attribute axis of F has no ONNX form");
  });
});
