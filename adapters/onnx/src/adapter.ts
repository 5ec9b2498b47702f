import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ConfigError, type OpenPolicyRequest, type PolicyAdapter, type PolicyBackend } from "@proximal/core";
import { CONFIG_FILE, readJson } from "./checkpoint/files.js";
import type { Engine } from "./engine/engine.js";
import type { EngineData } from "./engine/protocol.js";
import { completeConfig, parseConfig, type TransformerConfig } from "./model/index.js";
import { OnnxPolicy } from "./policy.js";
import { completeSection, type EngineSection, engineSchema, type ModelSection, modelSchema } from "./schemas.js";
import { WorkerHost } from "./session/index.js";
import { executionProvider } from "./session/provider.js";
import { HuggingFaceTokenizer } from "./tokenizer.js";

const runtime = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };

function describeEngine({ provider, threads = availableParallelism(), deviceId }: EngineSection): string {
  const device = provider === "cpu" ? `${threads} thread${threads === 1 ? "" : "s"}` : `device ${deviceId}`;
  return `ONNX Runtime ${runtime.version}, ${provider}, ${device}`;
}

function architectureOf(model: ModelSection): { config: TransformerConfig; tokenizerFolder: string; checkpoint?: string } {
  if ("checkpoint" in model) {
    const path = join(model.checkpoint, CONFIG_FILE);
    return { config: parseConfig(readJson(path), path), tokenizerFolder: model.checkpoint, checkpoint: model.checkpoint };
  }
  return { config: completeConfig(model.architecture), tokenizerFolder: model.tokenizer };
}

/** Opens transformer policies that ONNX Runtime trains and samples from. */
export const onnxAdapter: PolicyAdapter = {
  async open({ model, engine: given, optimizer, seed, valueHead }: OpenPolicyRequest): Promise<PolicyBackend> {
    const engine = completeSection(engineSchema, "engine", given);
    const { config, tokenizerFolder, checkpoint } = architectureOf(completeSection(modelSchema, "model", model));
    executionProvider(engine.provider, engine.deviceId);
    const tokenizer = new HuggingFaceTokenizer(tokenizerFolder);
    if (tokenizer.vocabularySize > config.vocab_size) {
      throw new ConfigError("the tokenizer has more tokens than the model", {
        given: tokenizer.vocabularySize,
        accepted: `up to vocab_size, ${config.vocab_size}`,
      });
    }
    const { provider, threads, deviceId } = engine;
    const data: EngineData = { config, valueHead, checkpoint, seed, provider, threads, deviceId };
    const client = new WorkerHost<Engine>(new URL("./engine/worker.js", import.meta.url), { data });
    try {
      await client.call("ready");
    } catch (error) {
      await client.close();
      throw error;
    }
    const engineName = describeEngine(engine);
    return new OnnxPolicy({ config, valueHead, tokenizer, tokenizerFolder, optimizer, engine, engineName, client });
  },
};
