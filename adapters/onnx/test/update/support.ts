import {
  Batch,
  type Context,
  type LossComponent,
  ObjectiveProgram,
  type Prompt,
  Random,
  type ScoreRow,
  type TensorValue,
  type Trajectory,
  tensor,
} from "@proximal/core";
import { completeConfig, type ParameterSpec, type TransformerConfig } from "../../src/model/index.js";

export const tinyConfig = (change: Partial<Parameters<typeof completeConfig>[0]> = {}): TransformerConfig =>
  completeConfig({
    model_type: "qwen3",
    vocab_size: 13,
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 4,
    max_position_embeddings: 64,
    rope_theta: 10_000,
    rms_norm_eps: 1e-6,
    tie_word_embeddings: true,
    attention_bias: true,
    initializer_range: 0.3,
    ...change,
  });

/** Parameters with some of everything: biases and norms are not at their initial values. */
export function randomParameters(table: readonly ParameterSpec[], seed: number): Record<string, TensorValue> {
  return Object.fromEntries(
    table.map(({ name, shape, init }) => {
      const stream = new Random(seed).fork(name);
      const size = shape.reduce((a, b) => a * b, 1);
      const [mean, scale] = init === "ones" ? [1, 0.2] : [0, 0.3];
      return [
        name,
        tensor(
          Array.from({ length: size }, () => Math.fround(mean + scale * stream.normal())),
          shape,
        ),
      ];
    }),
  );
}

/** Rows with prompts and responses of different lengths; `groups[i]` rows belong to prompt i. */
export function sampleBatch(config: TransformerConfig, groups: readonly number[], seed = 5): Batch {
  const random = new Random(seed);
  const ids = (length: number) => Int32Array.from({ length }, () => random.integer(config.vocab_size));
  const trajectories: Trajectory[] = [];
  const group: number[] = [];
  groups.forEach((count, g) => {
    const prompt: Prompt = { id: `p${g}`, text: "", tokens: ids(1 + random.integer(6)), golds: [], fields: {} };
    for (let i = 0; i < count; i++) {
      const tokens = ids(1 + random.integer(7));
      const mask = Uint8Array.from(tokens, () => Number(random.uniform() < 0.8));
      const logp = Float64Array.from(tokens, () => -2 - random.uniform());
      trajectories.push({ prompt, tokens, mask, logp, text: "", finish: "stop", temperature: 1 });
      group.push(g);
    }
  });
  const batch = Batch.fromGroups(
    groups.map((_, g) => ({ prompt: trajectories[group.indexOf(g)]!.prompt, trajectories: trajectories.filter((_, i) => group[i] === g) })),
  );
  return batch.with({ advantages: Array.from({ length: batch.rows }, () => random.normal()) });
}

export const rowsOfBatch = (batch: Batch): ScoreRow[] =>
  batch.trajectories.map(({ prompt, tokens }) => ({ prompt: prompt.tokens, response: tokens }));

/** −min(r·A, clip(r)·A) */
export const clipGate: LossComponent = {
  terms: ({ ratio, advantages }: Context) => ({
    value: ratio.mul(advantages).min(ratio.clip(0.8, 1.2).mul(advantages)).neg(),
    observe: { ratio: { value: ratio, aggregation: "token-mean" } },
  }),
};

/** Reads everything that carries a gradient. */
export const everything: LossComponent = {
  terms: (context: Context) => {
    const target = context.advantages;
    const state = context.hidden.square().mean(-1);
    return {
      value: context.logp.mul(target).add(context.entropy.mul(0.3)).add(context.values.sub(target).square()).add(state.mul(0.1)),
    };
  },
};

/** The row's mean ratio within its group: group span. */
export const groupGate: LossComponent = {
  terms: (context: Context) => ({ value: context.groupMean(context.sequenceMean(context.ratio)).square(), aggregation: "row-mean" }),
};

/** The square of a mean over the batch: batch span. */
export const batchGate: LossComponent = {
  terms: (context: Context) => ({
    value: context.batchMean(context.ratio.mul(context.advantages)).square().add(context.batchMean(context.entropy).square()),
    aggregation: "scalar",
  }),
};

export const programOf = (component: LossComponent): ObjectiveProgram =>
  new ObjectiveProgram([{ id: "gate", component, coefficient: 1, stepShapes: {} }], { aggregation: "token-mean" });
