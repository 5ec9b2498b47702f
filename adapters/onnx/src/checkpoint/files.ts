import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { CheckpointError } from "@proximal/core";
import type { HostState } from "../engine/protocol.js";
import type { TrainingState } from "../engine/state.js";
import { readStored, type StoredTensor } from "../gguf/tensors.js";
import { formatConfig, type ParameterSpec, type TransformerConfig } from "../model/index.js";
import { momentName } from "../update/optimizer.js";
import { SafetensorsFile, writeAll, writeSafetensors, writeWhole } from "./safetensors.js";

export const CONFIG_FILE = "config.json";
const MODEL_FILE = "model.safetensors";
const TRAINED_FILE = "trained.safetensors";
const INDEX_FILE = "model.safetensors.index.json";
const OPTIMIZER_FILE = "optimizer.safetensors";
const TRAINING_FILE = "training.json";
const FORMAT_VERSION = 1;

const snapshotFile = (name: string): string => `snapshot-${encodeURIComponent(name)}.safetensors`;

export function readJson(path: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw new CheckpointError(`cannot be read: ${(cause as Error).message}`, { file: path, cause });
  }
  return parseJson(text, path);
}

export function parseJson(text: string, path: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (cause) {
    throw new CheckpointError(`is no JSON: ${(cause as Error).message}`, { file: path, cause });
  }
}

export const writeJson = (path: string, value: unknown): void =>
  writeWhole(path, (file) => writeAll(file, Buffer.from(`${JSON.stringify(value, null, 2)}\n`)));

type Spec = Pick<ParameterSpec, "name" | "shape">;

/** The tensors of `table`, each from the file that has it. Only `optional` ones may be missing. */
function readTensors(paths: readonly string[], table: readonly Spec[], optional: (name: string) => boolean = () => false) {
  const files: SafetensorsFile[] = [];
  const values = new Map<string, Float32Array>();
  try {
    for (const path of paths) files.push(SafetensorsFile.open(path));
    for (const { name, shape } of table) {
      // Models that were saved without their head leave out the first part of the name.
      const names = [name, name.replace(/^(model|transformer)\./, "")];
      const found = names.flatMap((stored) => files.filter((file) => file.has(stored)).map((file) => ({ file, stored })))[0];
      if (found !== undefined) values.set(name, found.file.read(found.stored, shape));
      else if (!optional(name))
        throw new CheckpointError(`tensor ${name}: missing`, {
          file: paths.join(", "),
          hint:
            name === "lm_head.weight"
              ? `if the embedding is the head, say so in ${CONFIG_FILE}: "tie_word_embeddings": true`
              : `${CONFIG_FILE} says that the model has it; are both of the same model?`,
        });
    }
    return values;
  } finally {
    for (const file of files) file.close();
  }
}

/** Parameters in formats that are not read. */
const FOREIGN = /^(pytorch_model.*\.bin|tf_model\.h5|flax_model\.msgpack|consolidated.*\.pth)$/;

/** The files of a Hugging Face checkpoint: one, or the shards that its index names. */
function modelFiles(folder: string): string[] {
  const index = join(folder, INDEX_FILE);
  if (!existsSync(index)) {
    const file = join(folder, MODEL_FILE);
    if (existsSync(file)) return [file];
    const foreign = readdirSync(folder).find((name) => FOREIGN.test(name));
    const gguf = readdirSync(folder).find((name) => name.endsWith(".gguf"));
    throw new CheckpointError("the model's parameters are not there", {
      file,
      hint:
        gguf !== undefined
          ? `name the file as model.checkpoint: ${join(folder, gguf)}`
          : foreign !== undefined
            ? `${foreign} is not read: take the model as safetensors`
            : `download ${MODEL_FILE}, or ${INDEX_FILE} with its shards`,
    });
  }
  const { weight_map: map } = readJson(index);
  if (typeof map !== "object" || map === null) {
    throw new CheckpointError("names no shards", { file: index, path: "weight_map", hint: "the file is damaged: download it again" });
  }
  const shards = [...new Set(Object.values(map as Record<string, string>))].map((file) => join(folder, basename(file)));
  const missing = shards.filter((path) => !existsSync(path));
  if (missing.length > 0) {
    throw new CheckpointError(`${missing.length} of the ${shards.length} shards that ${INDEX_FILE} names are missing`, {
      file: missing[0],
      hint: `download ${missing.map((path) => basename(path)).join(", ")}`,
    });
  }
  return shards;
}

/** Where parameters are read from: a Hugging Face folder, or places in GGUF files. */
export interface ParameterSource {
  path: string;
  /** Of GGUF: parameters by name, with where each lies. */
  stored?: readonly (readonly [name: string, tensor: StoredTensor])[];
}

/** Parameters of a source. What a GGUF file holds has been compared with the table before. */
export function readSource(
  { path, stored }: ParameterSource,
  table: readonly Spec[],
  optional: (name: string) => boolean,
): Map<string, Float32Array> {
  if (stored === undefined) return readParameters(path, table, optional);
  const values = readStored(stored.map(([, tensor]) => tensor));
  return new Map(stored.map(([name], i) => [name, values[i]!]));
}

/** Parameters of a Hugging Face folder. */
export const readParameters = (folder: string, table: readonly Spec[], optional?: (name: string) => boolean): Map<string, Float32Array> =>
  readTensors(modelFiles(folder), table, optional);

/** config.json, with fields that say nothing of the network. */
export const writeConfig = (folder: string, config: TransformerConfig, fields: Readonly<Record<string, unknown>> = {}): void =>
  writeJson(join(folder, CONFIG_FILE), { ...formatConfig(config), ...fields });

/** A Hugging Face folder without its tokenizer. */
export function writeParameters(
  folder: string,
  config: TransformerConfig,
  table: readonly ParameterSpec[],
  values: (name: string) => Float32Array,
  fields?: Readonly<Record<string, unknown>>,
): void {
  writeConfig(folder, config, fields);
  writeSafetensors(
    join(folder, MODEL_FILE),
    table.map(({ name, shape }) => ({ name, shape, data: values(name) })),
  );
}

const momentsOf = (table: readonly ParameterSpec[]) =>
  (["m", "v"] as const).flatMap((kind) => table.map(({ name, shape }) => ({ name: momentName(kind, name), shape })));

/** The frozen parameters that a checkpoint leaves out: where they were read from, and CRC-32 of their values. */
export interface BaseModel {
  checkpoint?: string;
  crc32: string;
}

/** Everything that the next update depends on; of a frozen `base` only which one it is. */
export function writeTraining(folder: string, config: TransformerConfig, state: TrainingState, host: HostState, base?: BaseModel): void {
  const { table, snapshotNames } = state;
  if (base === undefined) writeParameters(folder, config, table, (name) => state.values(name));
  else {
    writeSafetensors(
      join(folder, TRAINED_FILE),
      table.map(({ name, shape }) => ({ name, shape, data: state.values(name) })),
    );
  }
  writeSafetensors(
    join(folder, OPTIMIZER_FILE),
    momentsOf(table).map(({ name, shape }) => ({ name, shape, data: state.values(name) })),
  );
  for (const snapshot of snapshotNames) {
    const tensors = state.snapshot(snapshot);
    writeSafetensors(
      join(folder, snapshotFile(snapshot)),
      table.map(({ name, shape }) => ({ name, shape, data: tensors.get(name)!.data as Float32Array })),
    );
  }
  writeJson(join(folder, TRAINING_FILE), { formatVersion: FORMAT_VERSION, ...host, snapshots: snapshotNames, base });
}

interface TrainingFile extends HostState {
  formatVersion: number;
  snapshots: string[];
  base?: BaseModel;
}

/** Reads what `writeTraining` wrote; the state changes only when every file is whole. `base`: the frozen parameters that are loaded. */
export function readTraining(folder: string, state: TrainingState, base?: BaseModel): HostState {
  const path = join(folder, TRAINING_FILE);
  const { formatVersion, step, grids, snapshots, base: expected } = readJson(path) as Partial<TrainingFile>;
  if (formatVersion !== FORMAT_VERSION) {
    throw new CheckpointError("unknown format version", { file: path, given: formatVersion, accepted: String(FORMAT_VERSION) });
  }
  if (typeof step !== "number" || grids === undefined || !Array.isArray(snapshots)) {
    throw new CheckpointError("step, grids or snapshots are missing", { file: path });
  }
  checkBase(path, expected, base);
  const { table } = state;
  const moments = momentsOf(table);
  const parameters = base === undefined ? readParameters(folder, table) : readTensors([join(folder, TRAINED_FILE)], table);
  const values = new Map([...parameters, ...readTensors([join(folder, OPTIMIZER_FILE)], moments)]);
  const frozen = snapshots.map((name) => ({ name, values: readTensors([join(folder, snapshotFile(name))], table) }));
  for (const { name, shape } of [...table, ...moments]) state.set(name, values.get(name)!, shape);
  state.forgetSnapshots();
  for (const { name, values } of frozen) state.keep(name, (parameter) => values.get(parameter)!);
  return { step, grids };
}

const describeBase = ({ checkpoint = "a new model", crc32 }: BaseModel): string => `${checkpoint}, CRC-32 ${crc32}`;

/** `CheckpointError` unless what was trained belongs to the parameters that are loaded. */
function checkBase(file: string, expected: BaseModel | undefined, loaded: BaseModel | undefined): void {
  if (expected === undefined && loaded === undefined) return;
  if (expected === undefined || loaded === undefined) {
    throw new CheckpointError(
      expected === undefined
        ? "the checkpoint holds a whole model, the policy trains with LoRA"
        : "the checkpoint holds LoRA updates, the policy trains a whole model",
      { file, hint: "model.lora must be that of the run that wrote it" },
    );
  }
  if (expected.crc32 === loaded.crc32) return;
  throw new CheckpointError("the base model is not the one whose updates the checkpoint holds", {
    file,
    given: describeBase(loaded),
    accepted: describeBase(expected),
    hint: "the files in the base model's folder have changed, or model.checkpoint names another one",
  });
}
