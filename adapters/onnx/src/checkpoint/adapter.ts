import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type LoraOptions, loraNames, loraTargets, mergedWeight, type ParameterSpec } from "../model/index.js";
import { writeJson } from "./files.js";
import { writeSafetensors } from "./safetensors.js";

/** Folder of the adapter in an export, beside the merged model. */
export const ADAPTER_FOLDER = "adapter";

export const ADAPTER_CONFIG_FILE = "adapter_config.json";

type Values = (name: string) => Float32Array;

/** The values of `frozen` with the low-rank updates added to them. */
export function mergedValues(frozen: readonly ParameterSpec[], lora: LoraOptions, values: Values): Values {
  const updated = new Map(loraTargets(frozen, lora).map((target) => [`${target.module}.weight`, target]));
  return (name) => {
    const target = updated.get(name);
    if (target === undefined) return values(name);
    const { a, b } = loraNames(target.module);
    return mergedWeight(values(name), { a: values(a), b: values(b) }, lora, target.transposed);
  };
}

/** The updates in PEFT's format, which vLLM reads too: adapter_config.json and adapter_model.safetensors. */
export function writeAdapter(
  folder: string,
  frozen: readonly ParameterSpec[],
  lora: LoraOptions,
  base: string | undefined,
  values: Values,
) {
  mkdirSync(folder, { recursive: true });
  const targets = loraTargets(frozen, lora);
  writeJson(join(folder, ADAPTER_CONFIG_FILE), {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: base ?? null,
    r: lora.rank,
    lora_alpha: lora.alpha,
    lora_dropout: lora.dropout,
    target_modules: [...new Set(targets.map(({ kind }) => kind))],
    bias: "none",
    fan_in_fan_out: targets.some(({ transposed }) => transposed),
    inference_mode: true,
    init_lora_weights: true,
    modules_to_save: null,
    use_dora: false,
    use_rslora: false,
  });
  const tensors = targets.flatMap(({ module, shape: [out, width] }) => {
    const { a, b } = loraNames(module);
    return [
      { name: a, shape: [lora.rank, width] },
      { name: b, shape: [out, lora.rank] },
    ];
  });
  writeSafetensors(
    join(folder, "adapter_model.safetensors"),
    tensors.map(({ name, shape }) => ({ name: `base_model.model.${name}`, shape, data: values(name) })),
  );
}
