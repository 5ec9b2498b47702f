import { concat, constant, customGradient, type Dim, type Expr, external } from "@proximal/core";
import type { TransformerConfig } from "./config.js";
import type { LayerWeights, LinearWeights } from "./weights.js";

/** x Wᵀ + b: [..., in] → [..., out]; with LoRA + (α/r)·(x Aᵀ) Bᵀ. */
export function linear(x: Expr, { weight, bias, lora }: LinearWeights): Expr {
  const y = x.matmul(weight, { transposeB: true });
  const own = bias === undefined ? y : y.add(bias);
  if (lora === undefined) return own;
  const { a, b, scale } = lora;
  return own.add(x.matmul(a, { transposeB: true }).mul(scale).matmul(b, { transposeB: true }));
}

/** Rows of the embedding [V, d]: ids [...] → [..., d]. */
export const embed = (ids: Expr, embedding: Expr): Expr => embedding.gather(ids, 0);

/**
 * x / √(mean(x²) + ε) · w over the last axis. Zhang & Sennrich 2019 (1910.07467), eq. 4.
 * Gradient with x̂ = x/rms: (g·w − x̂ · mean(g·w·x̂)) / rms.
 */
export function rmsNorm(x: Expr, weight: Expr, epsilon: number): Expr {
  const inverse = x.square().mean(-1, true).add(epsilon).sqrt().reciprocal();
  const normalised = x.mul(inverse);
  return customGradient(normalised.mul(weight), [x, weight], (g) => {
    const scaled = g.mul(weight);
    return [scaled.sub(normalised.mul(scaled.mul(normalised).mean(-1, true))).mul(inverse), g.mul(normalised)];
  });
}

/** Rotation of each token: [..., head_dim / 2] each. */
export interface RopeTables {
  cos: Expr;
  sin: Expr;
  /** For the runtime's own operator: int positions [...], and the rotation of every position [length, head_dim / 2]. */
  operator?: { positions: Expr; cos: Expr; sin: Expr };
}

/** Angle per position of each pair of features, [head_dim / 2]. Su et al. 2021 (2104.09864), eq. 15, and its scaled forms. */
export function ropeFrequencies(config: TransformerConfig): number[] {
  const { head_dim, rope_theta, rope_scaling: scaling } = config;
  const base = Array.from({ length: head_dim / 2 }, (_, i) => rope_theta ** ((-2 * i) / head_dim));
  if (scaling === null) return base;
  if (scaling.rope_type === "linear") return base.map((frequency) => frequency / scaling.factor);
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: context } = scaling;
  return base.map((frequency) => {
    const turns = (context * frequency) / (2 * Math.PI);
    const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return frequency * (kept + (1 - kept) / factor);
  });
}

/**
 * Rotations of int `positions` [...], all below `length`: rows of a constant table. With `operator`, `rope` is one operator
 * of the runtime instead of primitives.
 */
export function ropeTables(config: TransformerConfig, positions: Expr, length: number, { operator = false } = {}): RopeTables {
  const frequencies = ropeFrequencies(config);
  const table = (f: (angle: number) => number) => {
    const data = new Float64Array(length * frequencies.length);
    for (let p = 0; p < length; p++) for (const [i, w] of frequencies.entries()) data[p * frequencies.length + i] = f(p * w);
    return constant(data, [length, frequencies.length]);
  };
  const [cos, sin] = [table(Math.cos), table(Math.sin)];
  const tables = { cos: cos.gather(positions, 0), sin: sin.gather(positions, 0) };
  return operator ? { ...tables, operator: { positions, cos, sin } } : tables;
}

/** Rotates features i and i + D/2 of x [..., heads, D] by the angle of the token (Hugging Face's pairing). */
export function rope(x: Expr, { cos, sin, operator }: RopeTables): Expr {
  // The inverse of a rotation is its transpose.
  if (operator !== undefined) {
    const { positions, cos: c, sin: s } = operator;
    return customGradient(rotaryEmbedding(x, positions, c, s), [x], (g) => [rotaryEmbedding(g, positions, c, s.neg())]);
  }
  const half = (x.shape.at(-1) as number) / 2;
  const all = x.shape.slice(0, -1).map(() => null);
  const [c, s] = [cos.expandDims(-2), sin.expandDims(-2)];
  const rotate = (y: Expr, backward: boolean) => {
    const [a, b] = [y.slice(...all, [0, half]), y.slice(...all, [half, null])];
    const [ac, as, bc, bs] = [a.mul(c), a.mul(s), b.mul(c), b.mul(s)];
    return backward ? concat([ac.add(bs), bc.sub(as)], -1) : concat([ac.sub(bs), bc.add(as)], -1);
  };
  return customGradient(rotate(x, false), [x], (g) => [rotate(g, true)]);
}

/** x [N, heads, D], each token a sequence of its own: the operator's check of the length does not see the batch. */
function rotaryEmbedding(x: Expr, positions: Expr, cos: Expr, sin: Expr): Expr {
  const [tokens, heads, width] = x.shape as [Dim, number, number];
  const rows = x.reshape([tokens, 1, heads * width]);
  const operands = [rows, positions.reshape([tokens, 1]), cos, sin];
  const [rotated] = external("RotaryEmbedding", operands, [{ shape: rows.shape, dtype: "float" }], { domain: "com.microsoft" });
  return rotated!.reshape(x.shape);
}

/** Softmax over the last axis with gradient p·(g − Σ g·p). */
export function softmax(x: Expr): Expr {
  const p = x.softmax(-1);
  return customGradient(p, [x], (g) => {
    const weighted = g.mul(p);
    return [weighted.sub(p.mul(weighted.sum(-1, true)))];
  });
}

/** down(silu(gate x) · up x). Shazeer 2020 (2002.05202), eq. 5. */
export function swiglu(x: Expr, { gate, up, down }: Pick<LayerWeights, "gate" | "up" | "down">): Expr {
  return linear(silu(linear(x, gate)).mul(linear(x, up)), down);
}

/** x·σ(x), with gradient σ·(1 + x·(1 − σ)) = σ + y·(1 − σ). */
export function silu(x: Expr): Expr {
  const gate = x.sigmoid();
  const y = x.mul(gate);
  return customGradient(y, [x], (g) => [g.mul(gate.add(y.sub(y.mul(gate))))]);
}

/**
 * How the tokens of x see each other: q [..., H, D], k and v [..., Hkv, D], rotated → [..., H, D].
 * Training lays tokens out in rows with a shared prompt, decoding appends to a cache.
 */
export type Attend = (heads: { q: Expr; k: Expr; v: Expr }, layer: number) => Expr;

/** Self-attention of tokens [..., d] → [..., d]. */
export function attention(
  x: Expr,
  layer: LayerWeights,
  index: number,
  config: TransformerConfig,
  tables: RopeTables,
  attend: Attend,
): Expr {
  const lead = x.shape.slice(0, -1);
  const heads = (weights: LinearWeights, count: number) => linear(x, weights).reshape([...lead, count, config.head_dim]);
  const rotated = (y: Expr, norm: Expr | undefined) => rope(norm === undefined ? y : rmsNorm(y, norm, config.rms_norm_eps), tables);
  const q = rotated(heads(layer.q, config.num_attention_heads), layer.qNorm);
  const k = rotated(heads(layer.k, config.num_key_value_heads), layer.kNorm);
  const v = heads(layer.v, config.num_key_value_heads);
  const seen = attend({ q, k, v }, index).reshape([...lead, config.num_attention_heads * config.head_dim]);
  return linear(seen, layer.o);
}

/** One pre-norm block over tokens [..., d]. */
export function block(x: Expr, layer: LayerWeights, index: number, config: TransformerConfig, tables: RopeTables, attend: Attend): Expr {
  const attended = x.add(attention(rmsNorm(x, layer.inputNorm, config.rms_norm_eps), layer, index, config, tables, attend));
  return attended.add(swiglu(rmsNorm(attended, layer.postNorm, config.rms_norm_eps), layer));
}
