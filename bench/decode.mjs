// Tokens per second of decoding with random weights: one JSON line a shape.
// node bench/decode.mjs [--shape tiny,small,smollm2] [--group N] [--rows N] [--tokens 32] [--prompt 22] [--threads N]
//                       [--repeats 7] [--max-rows 64] [--constants] [--top-k K] [--top-p P] [--greedy]
import { parseArgs } from "node:util";
import { Random } from "@proximal/core";
import { completeConfig, decodeGraph, decodeRun, initialValues, packRequests, parameterTable, prefillGraph, Session } from "@proximal/onnx";
import { Tensor } from "onnxruntime-node";
import { NEW_TOKENS, PROMPT_TOKENS, SHAPES } from "./lib/shapes.mjs";

const { values: options } = parseArgs({
  options: {
    shape: { type: "string", default: "tiny,small,smollm2" },
    group: { type: "string" },
    rows: { type: "string" },
    tokens: { type: "string", default: `${NEW_TOKENS}` },
    prompt: { type: "string", default: `${PROMPT_TOKENS}` },
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
  const config = completeConfig({ initializer_range: 0.02, ...SHAPES[shape].architecture });
  const random = new Random(1);
  const data = Object.fromEntries(parameterTable(config).map((spec) => [spec.name, initialValues(spec, config, random)]));
  const parameters = Object.fromEntries(
    parameterTable(config).map(({ name, shape }) => [name, new Tensor("float32", data[name], [...shape])]),
  );
  const group = number("group") ?? SHAPES[shape].group;
  const rows = number("rows") ?? SHAPES[shape].prompts * group;
  const prompts = Array.from({ length: Math.ceil(rows / group) }, () =>
    Int32Array.from({ length: number("prompt") }, () => random.integer(config.vocab_size)),
  );
  const requests = (repeat) =>
    Array.from({ length: rows }, (_, i) => ({
      prompt: prompts[Math.floor(i / group)],
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
    const runtime = { session: async (role) => sessions[role], parameters, maxRows: number("max-rows") };
    const decoding = decodeRun(packRequests(requests(repeat), limits), runtime);
    while (!(await decoding.next([])).done);
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
