import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CheckpointError, ConfigError, type LossProgram, Random, type ScoreRow, type TensorValue } from "@proximal/core";
import { expect } from "chai";
import { writeParameters } from "../../src/checkpoint/files.js";
import { SafetensorsFile } from "../../src/checkpoint/safetensors.js";
import { type LoraOptions, mergedWeight, parameterTables, type TransformerConfig } from "../../src/model/index.js";
import { relativeError } from "../support.js";
import { openPolicy, type TestPolicy, updateRequest } from "./policy.js";
import { reference, referenceLoss } from "./reference.js";
import {
  batchGate,
  clipGate,
  everything,
  groupGate,
  programOf,
  randomParameters,
  rowsOfBatch,
  sampleBatch,
  tinyConfig,
} from "./support.js";

const llama = tinyConfig({ model_type: "llama", attention_bias: false, tie_word_embeddings: false });
const qwen3 = tinyConfig();
const gpt2 = tinyConfig({ model_type: "gpt2", attention_bias: undefined, num_key_value_heads: undefined, head_dim: undefined });
const lora: LoraOptions = { rank: 3, alpha: 5, dropout: 0 };
const some: LoraOptions = { rank: 2, alpha: 2, dropout: 0, targets: ["q_proj", "v_proj", "down_proj"] };
const batch = sampleBatch(qwen3, [3, 1, 2]);
const rows: ScoreRow[] = rowsOfBatch(batch);

describe("LoRA", () => {
  it("merged into a matrix that is stored [in, out] is the same matrix, transposed", () => {
    const random = new Random(8);
    const draw = (size: number) => Float32Array.from({ length: size }, () => random.normal());
    const [out, width] = [4, 5];
    const [weight, factors] = [draw(out * width), { a: draw(3 * width), b: draw(out * 3) }];
    const transposed = (x: Float32Array, rows: number) => {
      const columns = x.length / rows;
      return Float32Array.from(x, (_, i) => x[(i % rows) * columns + Math.floor(i / rows)]!);
    };
    const merged = mergedWeight(transposed(weight, out), factors, lora, true);
    expect(merged).to.deep.equal(transposed(mergedWeight(weight, factors, lora), out));
  });

  let root: string;
  let folders = 0;
  before(() => {
    root = mkdtempSync(join(tmpdir(), "lora-"));
  });
  after(() => rmSync(root, { recursive: true }));
  const newFolder = (): string => {
    const folder = join(root, String(folders++));
    mkdirSync(folder);
    return folder;
  };
  const logpOf = async ({ policy }: TestPolicy, snapshot?: string) =>
    [...(await policy.score(rows, { outputs: ["logp"], temperature: 0.9, snapshot })).logp!] as number[];
  const largestDifference = (a: readonly number[], b: readonly number[]) => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));

  /** A checkpoint that holds the factors too, none of them zero. */
  function writeRandom(config: TransformerConfig, options: LoraOptions, valueHead = false) {
    const { trained, frozen } = parameterTables(config, { valueHead, lora: options });
    const parameters = randomParameters([...trained, ...frozen], 3);
    const folder = newFolder();
    writeParameters(folder, config, [...trained, ...frozen], (name) => Float32Array.from(parameters[name]!.data));
    return { trained, frozen, parameters, folder };
  }

  it("starts as the base model, bit for bit", async () => {
    const [plain, updated] = [openPolicy(qwen3), openPolicy(qwen3, { lora })];
    expect(await logpOf(updated)).to.deep.equal(await logpOf(plain));
  });

  it("draws A from U(−1/√in, 1/√in) by the seed, and starts B at zero", async () => {
    const { trained } = parameterTables(llama, { lora });
    const drawn = (seed: number) => openPolicy(llama, { lora, seed }).engine.parameters(trained.map(({ name }) => name));
    const values = await drawn(1);
    for (const { name, shape } of trained) {
      const bound = name.includes("lora_A") ? 1 / Math.sqrt(shape[1]!) : 0;
      const peak = Math.max(...values[name]!.map(Math.abs));
      expect(peak, name).to.be.within(0.7 * bound, bound);
    }
    expect(await drawn(1)).to.deep.equal(values);
    expect(await drawn(2)).not.to.deep.equal(values);
  });

  describe("gradients of its factors", () => {
    it("in float64 are those of central differences", () => {
      const { trained, frozen, parameters } = writeRandom(qwen3, lora);
      const small = sampleBatch(qwen3, [2, 1]);
      const table = [...trained, ...frozen];
      const { loss, gradients } = referenceLoss({ config: qwen3, table, lora, program: programOf(groupGate), batch: small });
      const exact = gradients(parameters);
      const random = new Random(4);
      const step = 1e-5;
      let checked = 0;
      while (checked < 60) {
        const { name } = trained[random.integer(trained.length)]!;
        const { data } = exact[name]!;
        const i = random.integer(data.length);
        const peak = Math.max(...Array.from(data, Math.abs));
        if (data[i] === 0 || Math.abs(data[i]!) < 1e-3 * peak) continue;
        const at = (by: number): number => {
          const changed = Float64Array.from(parameters[name]!.data);
          changed[i]! += by;
          return loss({ ...parameters, [name]: { ...parameters[name]!, data: changed } });
        };
        const numeric = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
        expect(Math.abs(numeric - data[i]!) / Math.max(Math.abs(data[i]!), 1e-3 * peak), `${name}[${i}]`).to.be.below(1e-6);
        checked++;
      }
    });

    for (const [name, config, options, program, engine] of [
      ["a Llama, clip gate", llama, lora, programOf(clipGate), {}],
      ["a GPT-2, clip gate", gpt2, lora, programOf(clipGate), {}],
      ["a Llama, recomputed layers", llama, lora, programOf(clipGate), { recompute: "layer" as const }],
      ["a GPT-2, whose matrices are stored [in, out]", gpt2, lora, programOf(clipGate), {}],
      ["some targets, value head", qwen3, some, programOf(everything), {}],
      ["linearised, value head", qwen3, lora, programOf(everything), { execution: "linearised" as const }],
      ["batch span, micro-batches", qwen3, lora, programOf(batchGate), { microBatchTokens: 40 }],
    ] as const) {
      it(`in float32 are those of float64 to 1e-4: ${name}`, async () => {
        const valueHead = (program as LossProgram).outputs.has("values");
        const { trained, frozen, parameters, folder } = writeRandom(config, options, valueHead);
        const { policy } = openPolicy(config, { checkpoint: folder, lora: options, valueHead, ...engine });
        const found = await policy.gradients(updateRequest(program, batch, { temperature: 1.3 }));
        await policy.close();
        const table = [...trained, ...frozen];
        const { gradients } = reference({ config, table, lora: options, parameters, program, batch, temperature: 1.3 });
        const norm = (tensors: TensorValue[]) => Math.hypot(...tensors.flatMap(({ data }) => [...data]));
        const whole = norm(trained.map((spec) => gradients[spec.name]!));
        expect(Object.keys(found)).to.have.members(trained.map((spec) => spec.name));
        for (const spec of trained) {
          const expected = gradients[spec.name]!;
          const vanishes = norm([expected]) < 1e-6 * whole;
          const error = vanishes
            ? norm([{ ...expected, data: Float64Array.from(found[spec.name]!) }]) / whole
            : relativeError(found[spec.name]!, expected.data);
          expect(error, spec.name).to.be.below(1e-4);
        }
      });
    }
  });

  it("updates leave the base and the reference as they were, and keep moments for the factors alone", async () => {
    const opened = openPolicy(qwen3, { lora });
    const { trained, frozen } = parameterTables(qwen3, { lora });
    const base = await logpOf(opened);
    await opened.policy.snapshot("reference");
    const frozenNames = frozen.map(({ name }) => name);
    const before = await opened.engine.parameters(frozenNames);
    for (let i = 0; i < 3; i++) await opened.policy.update(updateRequest(programOf(clipGate), batch));
    expect(await opened.engine.parameters(frozenNames)).to.deep.equal(before);
    expect(largestDifference(await logpOf(opened), base)).to.be.above(0.01);
    expect(await logpOf(opened, "reference")).to.deep.equal(base);
    const folder = newFolder();
    await opened.policy.save(folder);
    const names = (file: string) => SafetensorsFile.open(join(folder, file)).names;
    expect(names("trained.safetensors")).to.have.members(trained.map(({ name }) => name));
    expect(names("snapshot-reference.safetensors")).to.have.members(trained.map(({ name }) => name));
    expect(names("optimizer.safetensors")).to.have.lengthOf(2 * trained.length);
  });

  it("samples what it trains: the decoder's log-probs are those of scoring and of the update", async () => {
    const { policy } = openPolicy(llama, { checkpoint: writeRandom(llama, lora).folder, lora });
    const requests = [3, 3, 5].map((start, key) => ({
      prompt: Int32Array.of(start, 7),
      key,
      maxTokens: 6,
      temperature: 0.9,
      stopTokens: [],
    }));
    const results = await policy.decode(requests);
    const scored = await policy.score(
      results.map(({ tokens }, i) => ({ prompt: requests[i]!.prompt, response: tokens })),
      { outputs: ["logp"], temperature: 0.9 },
    );
    expect(
      largestDifference(
        results.flatMap(({ logp }) => [...logp]),
        [...scored.logp!],
      ),
    ).to.be.below(2e-5);
    const { logp } = await policy.update(updateRequest(programOf(clipGate), batch));
    expect(logp!.every(Number.isFinite)).to.equal(true);
    await policy.close();
  });

  it("continues from a checkpoint bit for bit, with the base left out of it", async () => {
    const folder = newFolder();
    const checkpoint = writeRandom(qwen3, lora).folder;
    const open = () => openPolicy(qwen3, { checkpoint, lora, valueHead: true });
    const first = open();
    const request = updateRequest(programOf(everything), batch);
    await first.policy.update(request);
    await first.policy.snapshot("reference");
    await first.policy.save(folder);
    const expected = [await first.policy.update(request), await first.policy.update(request), await logpOf(first, "reference")];
    const second = open();
    await second.policy.restore(folder);
    expect([await second.policy.update(request), await second.policy.update(request), await logpOf(second, "reference")]).to.deep.equal(
      expected,
    );
    const files = ["optimizer.safetensors", "snapshot-reference.safetensors", "trained.safetensors", "training.json"];
    expect(readdirSync(folder).sort()).to.deep.equal(files);
    expect(JSON.parse(readFileSync(join(folder, "training.json"), "utf8")).base).to.have.property("checkpoint", checkpoint);
  });

  for (const [what, other, message] of [
    ["a base whose values have changed", { lora, seed: 2 }, /^the base model is not the one/],
    ["a policy that trains the whole model", { seed: 1 }, /^the checkpoint holds LoRA updates/],
    ["another rank", { lora: { ...lora, rank: 2 }, seed: 1 }, /another shape/],
  ] as const) {
    it(`a checkpoint is refused by ${what}, with an error that says so`, async () => {
      const folder = newFolder();
      await openPolicy(qwen3, { lora }).policy.save(folder);
      const error = await openPolicy(qwen3, other)
        .policy.restore(folder)
        .catch((e: unknown) => e);
      expect(error).to.be.instanceOf(CheckpointError).with.property("message").that.matches(message);
    });
  }

  it("a checkpoint of a whole model is refused, with an error that says so", async () => {
    const folder = newFolder();
    await openPolicy(qwen3).policy.save(folder);
    const error = await openPolicy(qwen3, { lora })
      .policy.restore(folder)
      .catch((e: unknown) => e);
    expect(error)
      .to.be.instanceOf(CheckpointError)
      .with.property("message")
      .that.matches(/^the checkpoint holds a whole model/);
  });

  it("target names that the model does not have are refused, with the nearest one", () => {
    const names = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
    expect(() => parameterTables(llama, { lora: { ...lora, targets: ["q_proj", "qproj2"] } }))
      .to.throw(ConfigError)
      .with.property("details")
      .that.deep.equals({ path: "model.lora.targets", given: "qproj2", accepted: names, hint: 'did you mean "q_proj"?' });
    const chosen = parameterTables(llama, { lora: some }).trained.map(({ name }) => name.split(".").slice(-3).join("."));
    expect([...new Set(chosen)]).to.deep.equal(some.targets!.flatMap((kind) => [`${kind}.lora_A.weight`, `${kind}.lora_B.weight`]));
  });
});
