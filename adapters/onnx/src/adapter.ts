import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { CheckpointError, ConfigError, defineAdapter, type OpenPolicyRequest, type PolicyBackend } from "@proximal/core";
import { ADAPTER_CONFIG_FILE } from "./checkpoint/adapter.js";
import { CONFIG_FILE, type ParameterSource, readJson } from "./checkpoint/files.js";
import type { Engine } from "./engine/engine.js";
import type { EngineData } from "./engine/protocol.js";
import { ggufConfig, ggufParameters, ggufTokenizer, readHeader } from "./gguf/index.js";
import { completeConfig, parameterTables, parseConfig, type TransformerConfig } from "./model/index.js";
import { OnnxPolicy } from "./policy.js";
import { completeSection, type EngineSection, engineSchema, type ModelSection, modelSchema, workersOf } from "./schemas.js";
import { WorkerHost } from "./session/index.js";
import { executionProvider } from "./session/provider.js";
import { HuggingFaceTokenizer, readTokenizerFiles, type TokenizerFiles } from "./tokenizer.js";

const runtime = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };

const several = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

function describeEngine({ provider, threads = availableParallelism(), deviceId }: EngineSection, workers: number): string {
  const processor = workers === 1 ? several(threads, "thread") : `${several(threads, "thread")} in ${workers} workers`;
  const device = provider === "cpu" ? processor : `device ${deviceId}`;
  return `ONNX Runtime ${runtime.version}, ${provider}, ${device}`;
}

interface Source {
  config: TransformerConfig;
  tokenizer: TokenizerFiles;
  /** Where the parameters come from; a new model has none. */
  checkpoint?: ParameterSource;
}

const GGUF = ".gguf";

const missingModel = (file: string, lora?: object) =>
  new CheckpointError(lora === undefined ? "there is no model" : "the base model of the LoRA updates is not there", {
    file,
    path: "model.checkpoint",
    accepted: "a Hugging Face folder with config.json, or a .gguf file",
    hint: "a model of the Hub comes into a folder with: proximal download OWNER/NAME",
  });

/** A folder that PEFT or an export wrote for low-rank updates alone. */
function refuseAdapter(folder: string): void {
  const file = join(folder, ADAPTER_CONFIG_FILE);
  if (existsSync(join(folder, CONFIG_FILE)) || !existsSync(file)) return;
  const base = readJson(file).base_model_name_or_path;
  throw new CheckpointError("the folder holds low-rank updates of a model, not the model", {
    file,
    path: "model.checkpoint",
    given: typeof base === "string" ? `updates of ${base}` : "updates of an unnamed model",
    hint: "name the model with the updates merged into it: the folder that `proximal export` wrote this one into, or PEFT's merge_and_unload",
  });
}

const tokenizerOf = async (path: string): Promise<TokenizerFiles> =>
  path.endsWith(GGUF) ? ggufTokenizer(await readHeader(path)) : readTokenizerFiles(path);

async function sourceOf({ checkpoint, architecture, tokenizer, lora }: ModelSection): Promise<Source> {
  if ((checkpoint === undefined) === (architecture === undefined)) {
    throw new ConfigError("a model is either read or new", {
      path: "model",
      given: checkpoint === undefined ? "neither checkpoint nor architecture" : "checkpoint and architecture",
      accepted: "checkpoint, or architecture and tokenizer",
    });
  }
  const files = tokenizer === undefined ? undefined : await tokenizerOf(tokenizer);
  if (checkpoint?.endsWith(GGUF)) {
    if (!existsSync(checkpoint)) throw missingModel(checkpoint, lora);
    const header = await readHeader(checkpoint);
    const config = ggufConfig(header);
    const stored = ggufParameters(header, config);
    return { config, tokenizer: files ?? ggufTokenizer(header), checkpoint: { path: checkpoint, stored } };
  }
  if (checkpoint !== undefined) {
    if (!existsSync(checkpoint)) throw missingModel(checkpoint, lora);
    refuseAdapter(checkpoint);
    const path = join(checkpoint, CONFIG_FILE);
    const config = parseConfig(readJson(path), path);
    return { config, tokenizer: files ?? readTokenizerFiles(checkpoint), checkpoint: { path: checkpoint } };
  }
  if (files === undefined) throw new ConfigError("a new model needs a tokenizer", { path: "model.tokenizer", accepted: "a folder" });
  return { config: completeConfig(architecture!), tokenizer: files };
}

/** Widths of random models for dry runs. */
const MINIATURES = {
  tiny: { hidden_size: 32, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 2, num_key_value_heads: 2, head_dim: 16 },
  small: { hidden_size: 384, intermediate_size: 1024, num_hidden_layers: 4, num_attention_heads: 6, num_key_value_heads: 6, head_dim: 64 },
} as const;

const countOf = (table: readonly { shape: readonly number[] }[]): number =>
  table.reduce((sum, { shape }) => sum + shape.reduce((n, d) => n * d, 1), 0);

/** Memory of the keys and values that are kept for later calls, bytes. */
const KEPT_BYTES = 1e9;

/** Transformer policies that ONNX Runtime trains and samples from. */
export const onnxAdapter = defineAdapter({
  id: "onnx",
  description: "Transformers trained and sampled with ONNX Runtime, in this process",
  modelSchema,
  engineSchema,
  async miniature(model: unknown, size: "tiny" | "small"): Promise<ModelSection> {
    const section = completeSection(modelSchema, "model", model);
    const { config } = await sourceOf(section);
    const { model_type, vocab_size, max_position_embeddings } = config;
    const architecture = { model_type, vocab_size, max_position_embeddings, ...MINIATURES[size] };
    const { templateVariables, tokenizer = section.checkpoint } = section;
    return completeSection(modelSchema, "model", { architecture, tokenizer, ...(templateVariables && { templateVariables }) });
  },
  async parameters(model: unknown) {
    const section = completeSection(modelSchema, "model", model);
    const { config } = await sourceOf(section);
    const { trained, frozen } = parameterTables(config, { lora: section.lora });
    return { all: countOf(trained) + countOf(frozen), trained: countOf(trained) };
  },
  async open({ model, engine: given, optimizer, seed, valueHead }: OpenPolicyRequest): Promise<PolicyBackend> {
    const engine = completeSection(engineSchema, "engine", given);
    const section = completeSection(modelSchema, "model", model);
    const { config, tokenizer: tokenizerFiles, checkpoint } = await sourceOf(section);
    const { lora, templateVariables } = section;
    const { trained, frozen } = parameterTables(config, { lora }); // Refuses targets that the model does not have.
    const workers = workersOf(engine, countOf(trained) + countOf(frozen));
    executionProvider(engine.provider, engine.deviceId);
    const tokenizer = new HuggingFaceTokenizer(tokenizerFiles, templateVariables);
    if (templateVariables !== undefined && tokenizer.chat === undefined) {
      throw new ConfigError("the model has no chat template that could read variables", {
        path: "model.templateVariables",
        given: Object.keys(templateVariables).join(", "),
        hint: "leave them out, or put a chat_template.jinja into the model's folder",
      });
    }
    if (tokenizer.vocabularySize > config.vocab_size) {
      throw new ConfigError("the tokenizer has more tokens than the model", {
        given: tokenizer.vocabularySize,
        accepted: `up to vocab_size, ${config.vocab_size}`,
      });
    }
    const { provider, threads, spinning, deviceId } = engine;
    const session = { provider, threads, spinning, deviceId };
    const sharedThreads = Math.floor((threads ?? availableParallelism()) / workers);
    const data: EngineData = { config, valueHead, lora, checkpoint, seed, session, sharedThreads, keptBytes: KEPT_BYTES / workers };
    const start = () => new WorkerHost<Engine>(new URL("./engine/worker.js", import.meta.url), { data });
    const clients = [start(), ...Array.from({ length: workers - 1 }, start)] as const;
    try {
      for (const client of clients) await client.call("ready");
    } catch (error) {
      await Promise.all(clients.map((client) => client.close()));
      throw error;
    }
    const engineName = describeEngine(engine, workers);
    return new OnnxPolicy({ config, valueHead, lora, tokenizer, tokenizerFiles, optimizer, engine, engineName, clients });
  },
});
