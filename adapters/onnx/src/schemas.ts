import { availableParallelism } from "node:os";
import { ConfigError } from "@proximal/core";
import { type Static, type TSchema, Type } from "typebox";
import { Value } from "typebox/value";
import { architectureSchema, loraSchema } from "./model/index.js";

const folder = (description: string) => Type.String({ format: "path", minLength: 1, description });

/** The config's `model` section: a checkpoint, or an architecture to start from nothing with a tokenizer. */
export const modelSchema = Type.Object(
  {
    checkpoint: Type.Optional(
      folder("Hugging Face folder (config.json, model.safetensors, tokenizer.json, tokenizer_config.json), or a .gguf file"),
    ),
    architecture: Type.Optional(architectureSchema),
    tokenizer: Type.Optional(folder("Folder with tokenizer.json and tokenizer_config.json, or a .gguf file; the checkpoint's by default")),
    templateVariables: Type.Optional(
      Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
        description: "Variables that the model's chat template reads, e.g. enable_thinking: false for Qwen3",
      }),
    ),
    lora: Type.Optional(loraSchema),
  },
  {
    additionalProperties: false,
    description: "The policy: `checkpoint`, or `architecture` and `tokenizer` for a new model with random parameters",
  },
);
export type ModelSection = Static<typeof modelSchema>;

/** The config's `engine` section. */
export const engineSchema = Type.Object(
  {
    provider: Type.Union([Type.Literal("cpu"), Type.Literal("cuda"), Type.Literal("webgpu")], {
      default: "cpu",
      description: "ONNX Runtime's execution provider",
    }),
    threads: Type.Optional(Type.Integer({ minimum: 1, description: "Threads of all workers together; default one a core" })),
    workers: Type.Union([Type.Literal("auto"), Type.Integer({ minimum: 1, maximum: 64 })], {
      default: "auto",
      description:
        "Copies of the model, on the CPU, that share the rows of sampling, scoring and updates and divide the threads among them: faster than threads alone where operators are small; auto = one a thread, at most 8, for models of up to 32 million parameters (fewer where the copies would take more than 1 GB), else 1",
    }),
    spinning: Type.Boolean({
      default: true,
      description: "Idle threads wait busily: faster alone on a machine, much slower beside other work",
    }),
    deviceId: Type.Integer({ minimum: 0, default: 0, description: "Which GPU" }),
    recompute: Type.Union([Type.Literal("none"), Type.Literal("layer")], {
      default: "none",
      description: "layer = backward computes each layer's inner values again: about a tenth of the memory a layer, a fifth more time",
    }),
    microBatchTokens: Type.Union([Type.Literal("auto"), Type.Integer({ minimum: 1 })], {
      default: "auto",
      description:
        "Tokens that are worked on at once, padding included, by all workers together; auto = what fits about 2 GB of activations, or 0.5 GB for several workers, which lose nothing by it",
    }),
    execution: Type.Union([Type.Literal("auto"), Type.Literal("fused"), Type.Literal("linearised")], {
      default: "auto",
      description:
        "fused = objective inside the training graph; linearised = its gradient with respect to the log-probs first; auto = fused unless the loss mixes rows of several micro-batches",
    }),
    updatesPerRun: Type.Union([Type.Literal("auto"), Type.Integer({ minimum: 1, maximum: 64 })], {
      default: "auto",
      description:
        "Optimizer updates of a step (mini-batches, epochs) that run as one graph, where each fits one micro-batch; auto = 1 on cpu and webgpu, where parameters stay in place, 8 on cuda, where they travel with every run",
    }),
    decodeRows: Type.Integer({
      minimum: 1,
      default: 128,
      description: "Responses that are decoded side by side; fewer where their keys and values would not fit 1 GB",
    }),
  },
  { additionalProperties: false, default: {}, description: "How ONNX Runtime executes the policy" },
);
export type EngineSection = Static<typeof engineSchema>;

/** A section with its defaults filled in. A run's config was validated before; this is for callers that have none. */
export function completeSection<S extends TSchema>(schema: S, path: string, given: unknown): Static<S> {
  const value = Value.Default(schema, structuredClone(given));
  const [mistake] = Value.Errors(schema, value);
  if (mistake !== undefined) throw new ConfigError(mistake.message, { path: `${path}${mistake.instancePath.replaceAll("/", ".")}`, given });
  return value as Static<S>;
}

/** Parameters of a model that workers copy unasked: reading more of them costs what the workers save. */
const COPIED_PARAMETERS = 32e6;

/** Memory for copies that nobody asked for, parameters and gradients, bytes. */
const COPIES_BYTES = 1e9;

/** Workers that nobody asked for: each loads the runtime and shortens the others' share of the rows. */
const MOST_WORKERS = 8;

function automaticWorkers(threads: number, parameters: number): number {
  if (parameters > COPIED_PARAMETERS) return 1;
  const copies = Math.floor(COPIES_BYTES / (2 * Float32Array.BYTES_PER_ELEMENT * parameters));
  const most = Math.max(1, Math.min(MOST_WORKERS, copies));
  return Math.floor(threads / Math.ceil(threads / most));
}

/** `ConfigError` for workers that would find no thread, or no processor. */
export function workersOf({ provider, workers, threads = availableParallelism() }: EngineSection, parameters: number): number {
  if (workers === "auto") return provider === "cpu" ? automaticWorkers(threads, parameters) : 1;
  const most = provider === "cpu" ? threads : 1;
  if (workers <= most) return workers;
  throw new ConfigError(provider === "cpu" ? "more workers than threads" : "workers share the work of the CPU only", {
    path: "engine.workers",
    given: workers,
    accepted: most === 1 ? "1, auto" : `1 to ${most}, auto`,
    hint: provider === "cpu" ? "engine.threads counts the threads of all workers" : undefined,
  });
}

/** Parameters stay on the CPU and in WebGPU's memory between runs; on CUDA they travel with each. */
const UPDATES_PER_RUN = { cpu: 1, webgpu: 1, cuda: 8 } as const;

export const updatesPerRun = ({ provider, updatesPerRun: given }: EngineSection): number =>
  given === "auto" ? UPDATES_PER_RUN[provider] : given;
