import { ConfigError, didYouMean, type Expr } from "@proximal/core";
import { type Static, Type } from "typebox";
import type { TransformerConfig } from "./config.js";
import { type ParameterSpec, parameterInputs, parameterTable, VALUE_HEAD } from "./parameters.js";

/** The config's `model.lora`. Names and meaning are those of PEFT's `LoraConfig`. */
export const loraSchema = Type.Object(
  {
    rank: Type.Integer({ minimum: 1, maximum: 1024, default: 16, description: "Rank r of each update B·A" }),
    alpha: Type.Number({ exclusiveMinimum: 0, default: 32, description: "The update is scaled by alpha / rank" }),
    targets: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        uniqueItems: true,
        description:
          "Linear layers that get an update, e.g. q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj; default all of attention and MLP",
      }),
    ),
    dropout: Type.Literal(0, { default: 0, description: "Only 0: sampler and trainer must see the same policy" }),
  },
  {
    additionalProperties: false,
    description: "Trains low-rank updates of the linear layers, with the checkpoint's own parameters frozen",
  },
);
export type LoraOptions = Static<typeof loraSchema>;

/** W x + (α/r)·B·A·x. Hu et al. 2021 (2106.09685), section 4.1. */
export interface LoraWeights {
  /** [r, in] */
  a: Expr;
  /** [out, r] */
  b: Expr;
  /** α/r */
  scale: number;
}

/** Names of the factors of the linear layer `module`; PEFT's, without its prefix. */
export const loraNames = (module: string) => ({ a: `${module}.lora_A.weight`, b: `${module}.lora_B.weight` });

export const loraScale = ({ rank, alpha }: LoraOptions): number => alpha / rank;

/** Layer and kind of a matrix that may be updated: "model.layers.0.self_attn.q_proj", "q_proj". */
export interface LoraTarget {
  module: string;
  kind: string;
  /** [out, in] */
  shape: readonly [number, number];
  /** The matrix is stored [in, out]. */
  transposed: boolean;
}

// Norms have one axis.
const LINEAR = /^(.*\.(?:layers|h)\.\d+\..*\.(\w+))\.weight$/;

/** The linear layers that `targets` names. `ConfigError` for a name that no layer has. */
export function loraTargets(table: readonly ParameterSpec[], { targets }: LoraOptions): LoraTarget[] {
  const all = table.flatMap(({ name, shape, transposed = false }): LoraTarget[] => {
    const [, module, kind] = LINEAR.exec(name) ?? [];
    if (module === undefined || kind === undefined || shape.length !== 2) return [];
    const [rows, columns] = shape as [number, number];
    return [{ module, kind, shape: transposed ? [columns, rows] : [rows, columns], transposed }];
  });
  const kinds = [...new Set(all.map(({ kind }) => kind))];
  const unknown = targets?.find((name) => !kinds.includes(name));
  if (unknown !== undefined) {
    const hint = didYouMean(unknown, kinds);
    throw new ConfigError("the model has no linear layer of this name", {
      path: "model.lora.targets",
      given: unknown,
      accepted: kinds,
      hint,
    });
  }
  return all.filter(({ kind }) => targets?.includes(kind) ?? true);
}

/** What is trained, and what stays as it was read. */
export interface ParameterTables {
  trained: readonly ParameterSpec[];
  frozen: readonly ParameterSpec[];
}

/** All parameters are trained, or, with LoRA, its factors and the value head. */
export function parameterTables(config: TransformerConfig, options: { valueHead?: boolean; lora?: LoraOptions } = {}): ParameterTables {
  const { valueHead = false, lora } = options;
  const all = parameterTable(config, { valueHead });
  if (lora === undefined) return { trained: all, frozen: [] };
  const isHead = ({ name }: ParameterSpec) => Object.values<string>(VALUE_HEAD).includes(name);
  const frozen = all.filter((spec) => !isHead(spec));
  const factors = loraTargets(frozen, lora).flatMap(({ module, shape: [out, width] }): ParameterSpec[] => {
    const { a, b } = loraNames(module);
    return [
      { name: a, shape: [lora.rank, width], init: "fan-in", decay: true },
      { name: b, shape: [out, lora.rank], init: "zeros", decay: true },
    ];
  });
  return { trained: [...factors, ...all.filter(isHead)], frozen };
}

/** All parameters as graph inputs, by name. */
export function policyInputs(config: TransformerConfig, options: { valueHead?: boolean; lora?: LoraOptions } = {}): Map<string, Expr> {
  const { trained, frozen } = parameterTables(config, options);
  return parameterInputs([...trained, ...frozen]);
}

/** W + (α/r)·B·A, [out, in] or as `transposed` stores it, summed in float64. */
export function mergedWeight(
  weight: Float32Array,
  { a, b }: { a: Float32Array; b: Float32Array },
  { rank, ...alpha }: LoraOptions,
  transposed = false,
): Float32Array<ArrayBuffer> {
  const scale = loraScale({ rank, ...alpha });
  const width = a.length / rank;
  const merged = new Float32Array(weight.length);
  const row = new Float64Array(width);
  const outputs = weight.length / width;
  for (let out = 0; out < outputs; out++) {
    row.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[out * rank + r]!;
      const from = r * width;
      for (let i = 0; i < width; i++) row[i]! += factor * a[from + i]!;
    }
    for (let i = 0; i < width; i++) {
      const at = transposed ? i * outputs + out : out * width + i;
      merged[at] = weight[at]! + row[i]!;
    }
  }
  return merged;
}
