import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { elementCount } from "@proximal/core";
import { writeAll, writeWhole } from "../checkpoint/safetensors.js";
import { lower, type StoredWeight } from "../lowering/index.js";
import { parameterTable, type TransformerConfig } from "../model/index.js";
import { cachedOutputs } from "./cached-graph.js";

/** Where transformers.js looks for models, and for weights that are too large to lie in one. */
const FOLDER = "onnx";
const MODEL_FILE = "model.onnx";
const DATA_FILE = `${MODEL_FILE}_data`;
/** Protocol buffers end at 2 GiB. */
const INLINE_BYTES = 1.5 * 2 ** 30;

const bytesOf = (data: Float32Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);

/** Writes onnx/model.onnx, beyond `inlineBytes` with its weights in onnx/model.onnx_data. Returns what config.json says of it. */
export function writeModelFile(
  folder: string,
  config: TransformerConfig,
  values: (name: string) => Float32Array,
  inlineBytes = INLINE_BYTES,
): Record<string, unknown> {
  mkdirSync(join(folder, FOLDER), { recursive: true });
  const table = parameterTable(config);
  const sizes = table.map(({ shape }) => 4 * elementCount(shape));
  const inline = sizes.reduce((a, b) => a + b, 0) <= inlineBytes;
  let offset = 0;
  const weights = new Map(
    table.map(({ name }, i): [string, StoredWeight] => {
      const length = sizes[i]!;
      const place = { file: DATA_FILE, offset, length };
      offset += length;
      return [name, inline ? { raw: bytesOf(values(name)) } : place];
    }),
  );
  if (!inline) {
    writeWhole(join(folder, FOLDER, DATA_FILE), (file) => {
      for (const { name } of table) writeAll(file, bytesOf(values(name)));
    });
  }
  // Plain operators alone: the model runs wherever ONNX Runtime does.
  const { bytes } = lower({ outputs: cachedOutputs(config), profile: "webgpu", weights });
  writeWhole(join(folder, FOLDER, MODEL_FILE), (file) => writeAll(file, bytes));
  return inline ? {} : { "transformers.js_config": { use_external_data_format: { [MODEL_FILE]: true } } };
}
