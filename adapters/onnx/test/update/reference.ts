import { type Batch, evaluate, type Feeds, gradient, type LossProgram, type TensorValue, tensor } from "@proximal/core";
import { type LoraOptions, type ParameterSpec, parameterInputs, type TransformerConfig } from "../../src/model/index.js";
import { rowsOf } from "../../src/update/grid.js";
import { layoutRows } from "../../src/update/layout.js";
import { buildNetwork, INVERSE_TEMPERATURE } from "../../src/update/network.js";
import { rowsOfBatch } from "./support.js";

export interface Reference {
  loss: number;
  /** By parameter name. */
  gradients: Record<string, TensorValue>;
}

export interface ReferenceOptions {
  config: TransformerConfig;
  table: readonly ParameterSpec[];
  parameters: Readonly<Record<string, TensorValue>>;
  lora?: LoraOptions;
  program: LossProgram;
  batch: Batch;
  temperature?: number;
  sharePrompts?: boolean;
}

/** Loss as a function of the parameters, and its gradient, in float64 by the evaluator. */
export function referenceLoss({
  config,
  table,
  lora,
  program,
  batch,
  temperature = 1,
  sharePrompts = true,
}: Omit<ReferenceOptions, "parameters">) {
  const inputs = parameterInputs(table);
  const [layout] = layoutRows([rowsOfBatch(batch)], { sharePrompts });
  const { grid } = layout!;
  const network = buildNetwork({ config, parameters: inputs, lora, grid, outputs: program.outputs, topK: program.topK });
  const built = program.build(network.dims, network.leaves);
  const rows = Array.from({ length: batch.rows }, (_, i) => i);
  const fixed: Feeds = {
    ...layout!.feeds,
    ...program.feeds(built, batch, rows, { B: rowsOf(grid), T: grid.responseSlots }, {}),
    [INVERSE_TEMPERATURE]: tensor(1 / temperature),
  };
  const derivatives = gradient(built.loss, [...inputs.values()]);
  return {
    loss: (parameters: Feeds): number => evaluate([built.loss], { ...fixed, ...parameters })[0]!.data[0]!,
    gradients: (parameters: Feeds): Record<string, TensorValue> => {
      const values = evaluate(derivatives, { ...fixed, ...parameters });
      return Object.fromEntries(table.map(({ name }, i) => [name, values[i]!]));
    },
  };
}

export function reference({ parameters, ...options }: ReferenceOptions): Reference {
  const { loss, gradients } = referenceLoss(options);
  return { loss: loss(parameters), gradients: gradients(parameters) };
}
