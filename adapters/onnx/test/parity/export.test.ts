import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "@proximal/core";
import { expect } from "chai";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { SafetensorsFile } from "../../src/checkpoint/safetensors.js";
import { writeModelFile } from "../../src/export/model-file.js";
import { initialValues, parameterTable, parseConfig } from "../../src/model/index.js";
import { fixture, openFixture, readExpected } from "./fixtures.js";

const ints = (values: readonly number[], shape: readonly number[]): Tensor =>
  new Tensor("int64", BigInt64Array.from(values, BigInt), shape);

interface Heads {
  layers: number;
  groups: number;
  width: number;
}

function headsOf(config: Record<string, number>): Heads {
  const heads = config.num_attention_heads ?? config.n_head!;
  return {
    layers: config.num_hidden_layers ?? config.n_layer!,
    groups: config.num_key_value_heads ?? heads,
    width: config.head_dim ?? (config.hidden_size ?? config.n_embd!) / heads,
  };
}

/** Greedy continuations with the runtime alone, as transformers.js feeds it: prompts padded on the left, one token a step after them. */
async function generate(session: InferenceSession, { layers, groups, width }: Heads, prompts: readonly number[][], steps: number) {
  const rows = prompts.length;
  const longest = Math.max(...prompts.map((prompt) => prompt.length));
  const mask = prompts.map((prompt) => [...Array<number>(longest - prompt.length).fill(0), ...Array<number>(prompt.length).fill(1)]);
  let ids = prompts.map((prompt) => [...Array<number>(longest - prompt.length).fill(0), ...prompt]);
  let cache: Record<string, Tensor> = {};
  for (let i = 0; i < layers; i++) {
    for (const part of ["key", "value"]) {
      cache[`past_key_values.${i}.${part}`] = new Tensor("float32", new Float32Array(0), [rows, groups, 0, width]);
    }
  }
  const generated: number[][] = prompts.map(() => []);
  for (let step = 0; step < steps; step++) {
    const count = ids[0]!.length;
    const positions = mask.map((row) => row.map((_, at) => Math.max(0, at - row.indexOf(1))).slice(-count));
    const { logits, ...present } = await session.run({
      input_ids: ints(ids.flat(), [rows, count]),
      attention_mask: ints(mask.flat(), [rows, mask[0]!.length]),
      position_ids: ints(positions.flat(), [rows, count]),
      ...cache,
    });
    const vocabulary = logits!.dims[2]!;
    ids = generated.map((tokens, row) => {
      const from = ((row + 1) * count - 1) * vocabulary;
      const last = (logits!.data as Float32Array).subarray(from, from + vocabulary);
      const best = last.indexOf(Math.max(...last));
      tokens.push(best);
      mask[row]!.push(1);
      return [best];
    });
    cache = Object.fromEntries(Object.entries(present).map(([name, value]) => [name.replace("present", "past_key_values"), value]));
  }
  return generated;
}

describe("an export", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "export-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  for (const [name, file] of [
    ["smollm2"],
    ["llama3"],
    ["tinyllama"],
    ["qwen2"],
    ["qwen3"],
    ["gpt2"],
    ["llama-biases"],
    ["smollm2-gguf", "model.gguf"],
  ] as const) {
    it(`to ONNX generates with the runtime alone what the engine generates: ${name}`, async () => {
      const policy = await openFixture(name, file);
      await policy.export(folder, { format: "onnx" });
      await policy.close();
      for (const expected of ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"]) {
        expect(existsSync(join(folder, expected)), expected).to.equal(true);
      }
      const { generated } = readExpected(name);
      const session = await InferenceSession.create(join(folder, "onnx", "model.onnx"));
      const { layers, ...heads } = headsOf(JSON.parse(readFileSync(join(folder, "config.json"), "utf8")) as Record<string, number>);
      const past = Array.from({ length: layers }, (_, i) => [`past_key_values.${i}.key`, `past_key_values.${i}.value`]).flat();
      expect(session.inputNames).to.have.members(["input_ids", "attention_mask", "position_ids", ...past]);
      expect(session.outputNames).to.deep.equal(["logits", ...past.map((input) => input.replace("past_key_values", "present"))]);
      const prompts = generated.map(({ prompt }) => prompt);
      const found = await generate(session, { layers, ...heads }, prompts, 16);
      await session.release();
      expect(found).to.deep.equal(generated.map(({ response }) => response));
    });

    it(`to Hugging Face reads back with the same bits: ${name}`, async () => {
      const policy = await openFixture(name, file);
      const rows = readExpected(name).rows.map(({ prompt, response }) => ({
        prompt: Int32Array.from(prompt),
        response: Int32Array.from(response),
      }));
      const before = await policy.score(rows, { outputs: ["logp"], temperature: 1 });
      const template = policy.tokenizer.chat?.([{ role: "user", content: "hi" }]);
      await policy.export(folder);
      await policy.close();
      const again = await openFixture(folder);
      const after = await again.score(rows, { outputs: ["logp"], temperature: 1 });
      expect(again.tokenizer.chat?.([{ role: "user", content: "hi" }])).to.equal(template);
      expect(again.tokenizer.stopTokens).to.deep.equal(policy.tokenizer.stopTokens);
      await again.close();
      expect(after.logp).to.deep.equal(before.logp);
    });
  }

  it("to ONNX beyond the size of a protocol buffer keeps the weights in a file beside the model", async () => {
    const config = parseConfig(JSON.parse(readFileSync(join(fixture("smollm2"), "config.json"), "utf8")) as Record<string, unknown>);
    const values = new Map(parameterTable(config).map((spec) => [spec.name, initialValues(spec, config, new Random(1))]));
    const run = async (inlineBytes?: number) => {
      const fields = writeModelFile(folder, config, (name) => values.get(name)!, inlineBytes);
      const session = await InferenceSession.create(join(folder, "onnx", "model.onnx"));
      const tokens = await generate(session, { layers: 2, groups: 2, width: 8 }, [[5, 6, 7]], 8);
      await session.release();
      return { fields, tokens };
    };
    const inline = await run();
    const external = await run(0);
    expect(inline.fields).to.deep.equal({});
    expect(external.fields).to.deep.equal({ "transformers.js_config": { use_external_data_format: { "model.onnx": true } } });
    expect(existsSync(join(folder, "onnx", "model.onnx_data"))).to.equal(true);
    expect(external.tokens).to.deep.equal(inline.tokens);
  });

  it("to Hugging Face stores float32 tensors under the names that it read", async () => {
    const policy = await openFixture("gpt2");
    await policy.export(folder);
    await policy.close();
    const [stored, source] = [folder, fixture("gpt2")].map((path) => SafetensorsFile.open(join(path, "model.safetensors")));
    expect(stored!.names).to.have.members(source!.names);
    stored!.close();
    source!.close();
  });
});
