import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LossProgram, ObjectiveProgram, Random, type TensorValue } from "@proximal/core";
import { expect } from "chai";
import { writeParameters } from "../../src/checkpoint/files.js";
import { parameterTable, type TransformerConfig } from "../../src/model/index.js";
import { relativeError } from "../support.js";
import { openPolicy, updateRequest } from "./policy.js";
import { reference, referenceLoss } from "./reference.js";
import { batchGate, clipGate, everything, groupGate, programOf, randomParameters, sampleBatch, tinyConfig } from "./support.js";

const llama = tinyConfig({ model_type: "llama", attention_bias: false, tie_word_embeddings: false });
const qwen2 = tinyConfig({ model_type: "qwen2", attention_bias: undefined, num_key_value_heads: 1, head_dim: undefined });
const qwen3 = tinyConfig();
const gpt2 = tinyConfig({ model_type: "gpt2", attention_bias: undefined, num_key_value_heads: undefined, head_dim: undefined });

describe("gradients of the parameters", () => {
  it("in float64 are those of central differences", () => {
    const table = parameterTable(qwen3, { valueHead: true });
    const parameters = randomParameters(table, 2);
    const batch = sampleBatch(qwen3, [2, 1]);
    const { loss, gradients } = referenceLoss({ config: qwen3, table, program: programOf(everything), batch, temperature: 0.8 });
    const exact = gradients(parameters);
    const random = new Random(4);
    const step = 1e-5;
    let checked = 0;
    while (checked < 200) {
      const { name } = table[random.integer(table.length)]!;
      const { data } = exact[name]!;
      const i = random.integer(data.length);
      const peak = Math.max(...Array.from(data, Math.abs));
      if (Math.abs(data[i]!) < 1e-3 * peak || data[i] === 0) continue;
      const at = (by: number): number => {
        const changed = Float64Array.from(parameters[name]!.data);
        changed[i]! += by;
        return loss({ ...parameters, [name]: { ...parameters[name]!, data: changed } });
      };
      // Fourth order: error step⁴.
      const numeric = (8 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12 * step);
      expect(Math.abs(numeric - data[i]!) / Math.max(Math.abs(data[i]!), 1e-3 * peak), `${name}[${i}]`).to.be.below(1e-6);
      checked++;
    }
  });

  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "gradients-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Worst relative L2 error of a parameter's float32 gradient, with the parameter's name. */
  async function worst(config: TransformerConfig, program: LossProgram, options: Parameters<typeof openPolicy>[1] = {}) {
    const valueHead = program.outputs.has("values");
    const table = parameterTable(config, { valueHead });
    const parameters = randomParameters(table, 3);
    writeParameters(folder, config, table, (name) => Float32Array.from(parameters[name]!.data));
    const batch = sampleBatch(config, [3, 1, 2]);
    const { policy } = openPolicy(config, { checkpoint: folder, valueHead, ...options });
    const found = await policy.gradients(updateRequest(program, batch, { temperature: 1.3 }));
    await policy.close();
    const { gradients } = reference({ config, table, parameters, program, batch, temperature: 1.3 });
    const whole = norm(Object.values(gradients));
    const errors = table.map(({ name }) => {
      const expected = gradients[name]!;
      // A gradient that vanishes is compared with the size of the others.
      const vanishes = norm([expected]) < 1e-6 * whole;
      return {
        name,
        error: vanishes
          ? norm([{ ...expected, data: Float64Array.from(found[name]!) }]) / whole
          : relativeError(found[name]!, expected.data),
      };
    });
    return errors.reduce((a, b) => (b.error > a.error ? b : a));
  }
  const norm = (tensors: TensorValue[]) => Math.hypot(...tensors.flatMap(({ data }) => [...data]));

  for (const [name, config, program, options] of [
    ["a Llama, clip gate", llama, programOf(clipGate), {}],
    ["a Qwen2, clip gate, recomputed layers", qwen2, programOf(clipGate), { recompute: "layer" as const }],
    ["a Qwen3, every differentiable output", qwen3, programOf(everything), {}],
    ["a Qwen3, every differentiable output, linearised", qwen3, programOf(everything), { execution: "linearised" as const }],
    ["a GPT-2, every differentiable output, recomputed layers", gpt2, programOf(everything), { recompute: "layer" as const }],
    ["a Qwen3, group span, micro-batches", qwen3, programOf(groupGate), { microBatchTokens: 40 }],
    ["a Qwen3, batch span", qwen3, programOf(batchGate), {}],
    ["a Qwen3, batch span, micro-batches", qwen3, programOf(batchGate), { microBatchTokens: 40 }],
  ] as const) {
    it(`in float32 are those of float64 to 1e-4: ${name}`, async () => {
      const { name: parameter, error } = await worst(config, program, options);
      expect(error, parameter).to.be.below(1e-4);
    });
  }

  it("reach the logits and leave the candidates constant", async () => {
    const program = new ObjectiveProgram(
      [
        {
          id: "full",
          component: {
            terms: (context) => {
              const p = context.logits.softmax(-1);
              const { probs, tokens } = context.candidates(3);
              const fixed = tokens.cast("float").sum(-1).mul(0.01);
              return { value: p.square().sum(-1).mul(probs.sum(-1)).add(fixed.mul(context.logp)) };
            },
          },
          coefficient: 1,
          stepShapes: {},
        },
      ],
      { aggregation: "token-mean" },
    );
    const { name, error } = await worst(qwen3, program);
    expect(error, name).to.be.below(1e-4);
  });
});
