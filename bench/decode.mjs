// Tokens per second of decoding with random weights: one JSON line a shape.
// node bench/decode.mjs [--shape tiny,small,smollm2] [--group 8] [--rows N] [--tokens 32] [--prompt 22] [--threads N]
//                       [--repeats 7] [--max-rows 64] [--constants] [--top-k K] [--top-p P] [--greedy]
import { parseArgs } from "node:util";
import { Random } from "@proximal/core";
import { completeConfig, decodeGraph, decodeRun, initialValues, packRequests, parameterTable, prefillGraph, Session } from "@proximal/onnx";
import { Tensor } from "onnxruntime-node";

const SHAPES = {
  tiny: { hidden_size: 128, num_hidden_layers: 4, num_attention_heads: 4, num_key_value_heads: 2, intermediate_size: 352, vocab_size: 64 },
  small: {
    hidden_size: 384,
    num_hidden_layers: 6,
    num_attention_heads: 6,
    num_key_value_heads: 2,
    intermediate_size: 1024,
    vocab_size: 4096,
  },
  smollm2: {
    hidden_size: 576,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    intermediate_size: 1536,
    vocab_size: 49152,
  },
};
const ROWS = { tiny: 64, small: 64, smollm2: 16 };

const { values: options } = parseArgs({
  options: {
    shape: { type: "string", default: "tiny,small,smollm2" },
    group: { type: "string", default: "8" },
    rows: { type: "string" },
    tokens: { type: "string", default: "32" },
    prompt: { type: "string", default: "22" },
    threads: { type: "string" },
    repeats: { type: "string", default: "7" },
    "max-rows": { type: "string", default: "64" },
    constants: { type: "boolean", default: false },
    "top-k": { type: "string" },
    "top-p": { type: "string" },
    greedy: { type: "boolean", default: false },
  },
});
const number = (name) => (options[name] === undefined ? undefined : Number(options[name]));

async function measure(shape) {
  const config = completeConfig({
    model_type: "llama",
    rope_theta: 10000,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
    initializer_range: 0.02,
    max_position_embeddings: 2048,
    ...SHAPES[shape],
  });
  const random = new Random(1);
  const data = Object.fromEntries(parameterTable(config).map((spec) => [spec.name, initialValues(spec, config, random)]));
  const parameters = Object.fromEntries(
    parameterTable(config).map(({ name, shape }) => [name, new Tensor("float32", data[name], [...shape])]),
  );
  const rows = number("rows") ?? ROWS[shape];
  const prompts = Array.from({ length: Math.ceil(rows / number("group")) }, () =>
    Int32Array.from({ length: number("prompt") }, () => random.integer(config.vocab_size)),
  );
  const requests = (repeat) =>
    Array.from({ length: rows }, (_, i) => ({
      prompt: prompts[Math.floor(i / number("group"))],
      key: repeat * rows + i,
      maxTokens: number("tokens"),
      temperature: 1,
      greedy: options.greedy,
      topK: number("top-k"),
      topP: number("top-p"),
    }));
  const limits = { vocabularySize: config.vocab_size, contextLength: 2048, stopTokens: [] };
  const { variant } = packRequests(requests(0), limits);
  const start = performance.now();
  const threads = number("threads");
  const sessions = {
    prefill: await Session.create(prefillGraph(config), { threads }),
    decode: await Session.create(decodeGraph(config, variant, options.constants ? { fixed: data } : {}), { threads }),
  };
  const create = performance.now() - start;
  const run = async (repeat) => {
    const from = performance.now();
    await decodeRun(packRequests(requests(repeat), limits), {
      session: async (role) => sessions[role],
      parameters,
      maxRows: number("max-rows"),
    });
    return (rows * number("tokens") * 1000) / (performance.now() - from);
  };
  for (let i = 0; i < 2; i++) await run(i);
  const rates = [];
  for (let i = 0; i < number("repeats"); i++) rates.push(await run(i + 2));
  rates.sort((a, b) => a - b);
  for (const session of Object.values(sessions)) await session.release();
  const at = (q) => Math.round(rates[Math.floor(q * (rates.length - 1))]);
  return {
    shape,
    rows,
    tokens: number("tokens"),
    prompt: number("prompt"),
    weights: options.constants ? "constants" : "inputs",
    tokensPerSecond: at(0.5),
    spread: [at(0), at(1)],
    createMs: Math.round(create),
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

for (const shape of options.shape.split(",")) console.log(JSON.stringify(await measure(shape)));
