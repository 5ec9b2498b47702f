import type { Batch, LossProgram, OptimizerOptions, Tokenizer, UpdateRequest } from "@proximal/core";
import { Engine } from "../../src/engine/engine.js";
import type { EngineClient } from "../../src/engine/workers.js";
import type { LoraOptions, TransformerConfig } from "../../src/model/index.js";
import { OnnxPolicy } from "../../src/policy.js";
import { completeSection, type EngineSection, engineSchema } from "../../src/schemas.js";

export const optimizer: OptimizerOptions = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1, maxGradNorm: 1 };

const noTokenizer: Tokenizer = { vocabularySize: 0, stopTokens: [], padToken: 0, encode: () => new Int32Array(0), decode: () => "" };

/** An engine in this thread. Arguments and results are copied as between threads. */
function localClient(engine: Engine): EngineClient {
  return {
    async call(method, ...args) {
      const act = engine[method] as (...given: unknown[]) => unknown;
      return structuredClone(await act.apply(engine, structuredClone(args) as unknown[])) as never;
    },
    close: () => engine.close(),
  };
}

export interface TestPolicy {
  policy: OnnxPolicy;
  engine: Engine;
}

export function openPolicy(
  config: TransformerConfig,
  options: {
    seed?: number;
    valueHead?: boolean;
    lora?: LoraOptions;
    sharePrompts?: boolean;
    optimizer?: Partial<OptimizerOptions>;
    checkpoint?: string;
  } & Partial<EngineSection> = {},
): TestPolicy {
  const { seed = 1, valueHead = false, lora, sharePrompts, optimizer: change, checkpoint, ...engineOptions } = options;
  const section = completeSection(engineSchema, "engine", engineOptions);
  const data = {
    config,
    valueHead,
    lora,
    seed,
    checkpoint: checkpoint === undefined ? undefined : { path: checkpoint },
    session: { provider: section.provider, threads: 2, spinning: false },
  };
  const engine = new Engine(data);
  const others = section.workers === "auto" ? [] : Array.from({ length: section.workers - 1 }, () => new Engine(data));
  const policy = new OnnxPolicy({
    config,
    valueHead,
    lora,
    tokenizer: noTokenizer,
    tokenizerFiles: { place: ".", texts: new Map() },
    optimizer: { ...optimizer, ...change },
    engine: section,
    engineName: "test",
    clients: [localClient(engine), ...others.map(localClient)],
    sharePrompts,
  });
  return { policy, engine };
}

export const updateRequest = (program: LossProgram, batch: Batch, change: Partial<UpdateRequest> = {}): UpdateRequest => ({
  program,
  batch,
  stepValues: {},
  learningRate: 1e-2,
  temperature: 1,
  ...change,
});
