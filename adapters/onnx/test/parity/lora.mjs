// Trains LoRA on a tiny new model and writes what lora.py compares with PEFT.
// node adapters/onnx/test/parity/lora.mjs FOLDER [llama|qwen2|qwen3|gpt2] && python adapters/onnx/test/parity/lora.py FOLDER   (pip install torch transformers peft)
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Batch, ObjectiveProgram, Random } from "@proximal/core";
import { onnxAdapter } from "@proximal/onnx";

const [folder, family = "llama"] = process.argv.slice(2);
const [size, rows] = [48, 6];
const folders = Object.fromEntries(["tokenizer", "base", "trained"].map((name) => [name, join(folder, name)]));
for (const path of Object.values(folders)) mkdirSync(path, { recursive: true });

const vocab = Object.fromEntries(Array.from({ length: size }, (_, id) => [`${id}`, id]));
const tokenizer = {
  version: "1.0",
  truncation: null,
  padding: null,
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: "WhitespaceSplit" },
  post_processor: null,
  decoder: null,
  model: { type: "WordLevel", vocab, unk_token: "0" },
};
writeFileSync(join(folders.tokenizer, "tokenizer.json"), JSON.stringify(tokenizer));
writeFileSync(join(folders.tokenizer, "tokenizer_config.json"), "{}");

const architecture = {
  model_type: family,
  vocab_size: size,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  ...(family === "gpt2" ? {} : { num_key_value_heads: 2 }),
  tie_word_embeddings: false,
  initializer_range: 0.2,
};
const open = (model) =>
  onnxAdapter.open({
    model,
    engine: { threads: 1 },
    optimizer: { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, maxGradNorm: 1 },
    seed: 1,
    valueHead: false,
  });

const random = new Random(3);
const ids = (length) => Int32Array.from({ length }, () => random.integer(size));
const groups = Array.from({ length: rows }, (_, i) => {
  const prompt = { id: `${i}`, text: "", tokens: ids(2 + (i % 4)), golds: [], fields: {} };
  const tokens = ids(3 + ((5 * i) % 7));
  const logp = new Float64Array(tokens.length).fill(-Math.log(size));
  return {
    prompt,
    trajectories: [{ prompt, tokens, mask: new Uint8Array(tokens.length).fill(1), logp, text: "", finish: "stop", temperature: 1 }],
  };
});
const batch = Batch.fromGroups(groups).with({ advantages: Array.from({ length: rows }, () => random.normal()) });
const gate = { terms: ({ logp, advantages }) => ({ value: logp.mul(advantages).neg() }) };
const program = new ObjectiveProgram([{ id: "gate", component: gate, coefficient: 1, stepShapes: {} }], { aggregation: "token-mean" });

const base = await open({ architecture, tokenizer: folders.tokenizer });
await base.export(folders.base);
await base.close();
const policy = await open({ checkpoint: folders.base, lora: { rank: 4, alpha: 8 } });
for (let step = 0; step < 20; step++) await policy.update({ program, batch, stepValues: {}, learningRate: 1e-2, temperature: 1 });
const sequences = batch.trajectories.map(({ prompt, tokens }) => ({ prompt: prompt.tokens, response: tokens }));
const { logp } = await policy.score(sequences, { outputs: ["logp"], temperature: 1 });
await policy.export(folders.trained);
await policy.close();
const list = sequences.map(({ prompt, response }) => ({ prompt: [...prompt], response: [...response] }));
writeFileSync(join(folder, "scores.json"), JSON.stringify({ rows: list, logp: [...logp] }));
