import { concat, constant, customGradient, type Dim, type Expr, external } from "@proximal/core";
import type { TransformerConfig } from "./config.js";
import type { LayerWeights, LinearWeights, NormWeights } from "./weights.js";

/** x Wᵀ + b: [..., in] → [..., out]; with LoRA + (α/r)·(x Aᵀ) Bᵀ. */
export function linear(x: Expr, { weight, bias, lora, transposed = false }: LinearWeights): Expr {
  const y = x.matmul(weight, { transposeB: !transposed });
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

/**
 * (x − mean) / √(variance + ε) · w + b over the last axis. Ba et al. 2016 (1607.06450), eq. 4.
 * Gradient with x̂ normalised and h = g·w: (h − mean(h) − x̂ · mean(h·x̂)) / √(variance + ε).
 */
export function layerNorm(x: Expr, weight: Expr, bias: Expr, epsilon: number): Expr {
  const centred = x.sub(x.mean(-1, true));
  const inverse = centred.square().mean(-1, true).add(epsilon).sqrt().reciprocal();
  const normalised = centred.mul(inverse);
  return customGradient(normalised.mul(weight).add(bias), [x, weight, bias], (g) => {
    const h = g.mul(weight);
    const along = normalised.mul(h.mul(normalised).mean(-1, true));
    return [h.sub(h.mean(-1, true)).sub(along).mul(inverse), g.mul(normalised), g];
  });
}

/** The norm that the parameters are of. */
export const norm = (x: Expr, { weight, bias }: NormWeights, epsilon: number): Expr =>
  bias === undefined ? rmsNorm(x, weight, epsilon) : layerNorm(x, weight, bias, epsilon);

/** Position of each token, int [...], and its rotation, [..., head_dim / 2] each. */
export interface RopeTables {
  positions: Expr;
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
  const { factor } = scaling;
  if (scaling.rope_type === "linear") return base.map((frequency) => frequency / factor);
  const context = scaling.original_max_position_embeddings;
  /** kept = 1 leaves a frequency as it is, 0 divides it. */
  const blended = (frequency: number, kept: number) => frequency * (kept + (1 - kept) / factor);
  const clamped = (x: number) => Math.min(1, Math.max(0, x));
  if (scaling.rope_type === "llama3") {
    const { low_freq_factor: low, high_freq_factor: high } = scaling;
    return base.map((frequency) => blended(frequency, clamped(((context * frequency) / (2 * Math.PI) - low) / (high - low))));
  }
  // Peng et al. 2023 (2309.00071), eq. 23: a ramp between the pairs that turn beta_fast and beta_slow times in the context.
  const { beta_fast: fast = 32, beta_slow: slow = 1, truncate = true } = scaling;
  const pairThatTurns = (times: number) => (head_dim * Math.log(context / (times * 2 * Math.PI))) / (2 * Math.log(rope_theta));
  const from = Math.max(0, truncate ? Math.floor(pairThatTurns(fast)) : pairThatTurns(fast));
  const to = Math.min(head_dim - 1, truncate ? Math.ceil(pairThatTurns(slow)) : pairThatTurns(slow));
  return base.map((frequency, i) => blended(frequency, 1 - clamped((i - from) / (to === from ? 0.001 : to - from))));
}

/** What rotated queries and keys are multiplied by: 1 but for yarn. Peng et al. 2023 (2309.00071), eq. 22. */
export function ropeMagnitude({ rope_scaling: scaling }: TransformerConfig): number {
  if (scaling?.rope_type !== "yarn") return 1;
  const { factor, attention_factor, mscale, mscale_all_dim } = scaling;
  if (attention_factor !== undefined) return attention_factor;
  const magnitude = (weight: number) => (factor <= 1 ? 1 : 0.1 * weight * Math.log(factor) + 1);
  return mscale && mscale_all_dim ? magnitude(mscale) / magnitude(mscale_all_dim) : magnitude(1);
}

/**
 * Rotations of int `positions` [...], all below `length`: rows of a constant table. With `operator`, `rope` is one operator
 * of the runtime instead of primitives.
 */
export function ropeTables(config: TransformerConfig, positions: Expr, length: number, { operator = false } = {}): RopeTables {
  const frequencies = ropeFrequencies(config);
  const magnitude = ropeMagnitude(config);
  const table = (f: (angle: number) => number) => {
    const data = new Float64Array(length * frequencies.length);
    for (let p = 0; p < length; p++) for (const [i, w] of frequencies.entries()) data[p * frequencies.length + i] = magnitude * f(p * w);
    return constant(data, [length, frequencies.length]);
  };
  const [cos, sin] = [table(Math.cos), table(Math.sin)];
  const tables = { positions, cos: cos.gather(positions, 0), sin: sin.gather(positions, 0) };
  return operator ? { ...tables, operator: { positions, cos, sin } } : tables;
}

/** Rotates features i and i + D/2 of x [..., heads, D] by the angle of the token (Hugging Face's pairing). */
export function rope(x: Expr, { cos, sin, operator }: RopeTables): Expr {
  // The transpose of a rotation is the rotation back, also where both are stretched.
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

/** down(silu(gate x) · up x), Shazeer 2020 (2002.05202), eq. 5; without a gate down(gelu(up x)). */
export function feedForward(x: Expr, { gate, up, down }: Pick<LayerWeights, "gate" | "up" | "down">): Expr {
  const raised = linear(x, up);
  return linear(gate === undefined ? gelu(raised) : silu(linear(x, gate)).mul(raised), down);
}

/** x/2 · (1 + tanh(√(2/π)·(x + 0.044715·x³))). Hendrycks & Gimpel 2016 (1606.08415), section 2. */
export function gelu(x: Expr): Expr {
  const inner = x.mul(x.square().mul(0.044715).add(1)).mul(Math.sqrt(2 / Math.PI));
  return x.mul(0.5).mul(inner.tanh().add(1));
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

/** The parts as they are, or cut out of the one that holds them side by side. */
function parts(given: readonly Expr[], widths: readonly [number, number, number]): [Expr, Expr, Expr] {
  if (given.length === 3) return given as [Expr, Expr, Expr];
  const whole = given[0]!;
  const lead = whole.shape.slice(0, -1).map(() => null);
  const ends = widths.map((_, i) => widths.slice(0, i + 1).reduce((a, b) => a + b, 0));
  return widths.map((width, i) => whole.slice(...lead, [ends[i]! - width, ends[i]!])) as [Expr, Expr, Expr];
}

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
  const { head_dim: width, num_attention_heads: queries, num_key_value_heads: groups } = config;
  const [q, k, v] = parts(
    layer.qkv.map((weights) => linear(x, weights)),
    [queries * width, groups * width, groups * width],
  );
  const heads = (y: Expr, count: number) => y.reshape([...lead, count, width]);
  const placed = (y: Expr, weights: NormWeights | undefined) => {
    const normed = weights === undefined ? y : norm(y, weights, config.rms_norm_eps);
    return config.learned_positions ? normed : rope(normed, tables);
  };
  const placedHeads = { q: placed(heads(q, queries), layer.qNorm), k: placed(heads(k, groups), layer.kNorm), v: heads(v, groups) };
  const seen = attend(placedHeads, index).reshape([...lead, queries * width]);
  return linear(seen, layer.o);
}

/** One pre-norm block over tokens [..., d]. */
export function block(x: Expr, layer: LayerWeights, index: number, config: TransformerConfig, tables: RopeTables, attend: Attend): Expr {
  const attended = x.add(attention(norm(x, layer.inputNorm, config.rms_norm_eps), layer, index, config, tables, attend));
  return attended.add(feedForward(norm(attended, layer.postNorm, config.rms_norm_eps), layer));
}
