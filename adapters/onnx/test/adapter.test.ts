import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CheckpointError, ConfigError, type OpenPolicyRequest, type PolicyBackend } from "@proximal/core";
import { expect } from "chai";
import { onnxAdapter } from "../src/adapter.js";
import { SafetensorsFile } from "../src/checkpoint/safetensors.js";
import { fixtureArchitecture, writeTokenizer } from "./fixture.js";
import { optimizer, updateRequest } from "./update/policy.js";
import { clipGate, programOf, rowsOfBatch, sampleBatch, tinyConfig } from "./update/support.js";

describe("the adapter", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "adapter-"));
    writeTokenizer(root);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const open = (change: Partial<OpenPolicyRequest> = {}): Promise<PolicyBackend> =>
    onnxAdapter.open({
      model: { architecture: fixtureArchitecture, tokenizer: root },
      engine: { threads: 1, spinning: false },
      optimizer,
      seed: 1,
      valueHead: false,
      ...change,
    });
  const newFolder = (name: string): string => {
    const folder = join(root, name);
    mkdirSync(folder);
    return folder;
  };
  const failure = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => undefined).catch((error: unknown) => error);
  const batch = sampleBatch(tinyConfig(), [2, 2]);

  it("opens a new model in a worker, which trains, and says what it is", async () => {
    const policy = await open();
    const { architecture, parameters, vocabularySize, contextLength, engine } = policy.info;
    expect({ architecture, vocabularySize, contextLength }).to.deep.equal({
      architecture: "llama, 1 layers of 16",
      vocabularySize: 20,
      contextLength: 32,
    });
    expect(parameters).to.equal(20 * 16 + 4 * 16 * 16 + 3 * 16 * 24 + 3 * 16);
    expect(engine).to.match(/^ONNX Runtime \d+\.\d+\.\d+, cpu, 1 thread$/);
    const first = await policy.update(updateRequest(programOf(clipGate), batch));
    const second = await policy.update(updateRequest(programOf(clipGate), batch));
    expect([first.skipped, second.skipped]).to.deep.equal([false, false]);
    expect(second.loss).to.be.below(first.loss);
    await policy.close();
  });

  it("samples what it scores: the same log-probs, the same tokens for the same key, after an update as before", async () => {
    const policy = await open();
    const requests = [3, 3, 5].map((start, key) => ({ prompt: Int32Array.of(start, 7), key, maxTokens: 6, temperature: 0.9 }));
    for (let round = 0; round < 2; round++) {
      const [results, again] = [await policy.decode(requests), await policy.decode(requests.toReversed())];
      expect(again.toReversed()).to.deep.equal(results);
      const rows = results.map(({ tokens }, i) => ({ prompt: requests[i]!.prompt, response: tokens }));
      const { logp } = await policy.score(rows, { outputs: ["logp"], temperature: 0.9 });
      const sampled = results.flatMap((result) => [...result.logp]);
      sampled.forEach((value, i) => {
        expect(value).to.be.closeTo(logp![i]!, 2e-5);
      });
      await policy.update(updateRequest(programOf(clipGate), batch));
    }
    expect(await policy.decode([])).to.deep.equal([]);
    await policy.close();
  });

  it("opens what it exported: the same log-probs, with its tokenizer", async () => {
    const policy = await open();
    await policy.update(updateRequest(programOf(clipGate), batch));
    const exported = newFolder("exported");
    await policy.export(exported);
    expect(readdirSync(exported).sort()).to.deep.equal([
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
    const again = await open({ model: { checkpoint: exported }, seed: 9 });
    const options = { outputs: ["logp"] as const, temperature: 1 };
    const rows = rowsOfBatch(batch);
    expect(await again.score(rows, options)).to.deep.equal(await policy.score(rows, options));
    expect([...again.tokenizer.encode("1+1")]).to.deep.equal([...policy.tokenizer.encode("1+1")]);
    await policy.close();
    await again.close();
  });

  it("exports LoRA merged into the model, with the same log-probs, and as PEFT's adapter beside it", async () => {
    const base = await open();
    const checkpoint = newFolder("base");
    await base.export(checkpoint);
    await base.close();
    const lora = { rank: 2, alpha: 6, targets: ["q_proj", "down_proj"] };
    const policy = await open({ model: { checkpoint, lora }, valueHead: true });
    expect(policy.info.architecture).to.equal("llama, 1 layers of 16, LoRA of rank 2: 161 parameters trained");
    for (let i = 0; i < 3; i++) await policy.update(updateRequest(programOf(clipGate), batch));
    const exported = newFolder("merged");
    await policy.export(exported);
    const merged = await open({ model: { checkpoint: exported } });
    const scored = async (of: PolicyBackend) => [...(await of.score(rowsOfBatch(batch), { outputs: ["logp"], temperature: 1 })).logp!];
    const original = await open({ model: { checkpoint } });
    const [a, b, before] = [await scored(policy), await scored(merged), await scored(original)];
    a.forEach((value, i) => {
      expect(b[i]).to.be.closeTo(value, 2e-5);
    });
    expect(Math.max(...a.map((value, i) => Math.abs(value - before[i]!)))).to.be.above(1e-3);
    await Promise.all([policy, merged, original].map((opened) => opened.close()));

    const adapter = join(exported, "adapter");
    expect(JSON.parse(readFileSync(join(adapter, "adapter_config.json"), "utf8"))).to.include({
      peft_type: "LORA",
      task_type: "CAUSAL_LM",
      base_model_name_or_path: checkpoint,
      r: 2,
      lora_alpha: 6,
      bias: "none",
    });
    const layer = "base_model.model.model.layers.0";
    expect(SafetensorsFile.open(join(adapter, "adapter_model.safetensors")).names.sort()).to.deep.equal(
      [`${layer}.mlp.down_proj`, `${layer}.self_attn.q_proj`].flatMap((name) => [`${name}.lora_A.weight`, `${name}.lora_B.weight`]),
    );
  });

  it("adds a value head of zeros to a checkpoint that has none", async () => {
    const policy = await open();
    const exported = newFolder("plain");
    await policy.export(exported);
    await policy.close();
    const withValues = await open({ model: { checkpoint: exported }, valueHead: true });
    const { values } = await withValues.score(rowsOfBatch(batch), { outputs: ["values"], temperature: 1 });
    expect(values!.every((x) => x === 0)).to.equal(true);
    await withValues.close();
  });

  it("a damaged checkpoint is an error that names file and tensor", async () => {
    const policy = await open();
    const exported = newFolder("damaged");
    await policy.export(exported);
    await policy.close();
    const path = join(exported, "model.safetensors");
    truncateSync(path, 3000);
    expect(await failure(open({ model: { checkpoint: exported } })))
      .to.be.instanceOf(CheckpointError)
      .with.nested.property("details.file", path);
    const other = { ...fixtureArchitecture, architectures: [], hidden_size: 32, hidden_act: "silu" };
    const config = newFolder("other");
    writeFileSync(join(config, "config.json"), JSON.stringify(other));
    writeTokenizer(config);
    expect(await failure(open({ model: { checkpoint: config } }))).to.be.instanceOf(CheckpointError);
  });

  for (const [what, change, path] of [
    ["a model that is neither read nor new", { model: { architecture: undefined } }, /^model$/],
    ["a new model without tokenizer", { model: { tokenizer: undefined } }, /^model\.tokenizer$/],
    ["a misspelt engine option", { engine: { thread: 1 } }, /^engine/],
    ["a tokenizer with more tokens than the model", { model: { architecture: { ...fixtureArchitecture, vocab_size: 5 } } }, undefined],
  ] as const) {
    it(`${what} is refused`, async () => {
      const model = { tokenizer: root, architecture: fixtureArchitecture, ...(change as { model?: object }).model };
      const error = await failure(open({ ...change, model }));
      expect(error).to.be.instanceOf(ConfigError);
      if (path !== undefined) expect((error as ConfigError).details.path).to.match(path);
    });
  }
});
