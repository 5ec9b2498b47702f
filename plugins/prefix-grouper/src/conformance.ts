import { defineConformance, type Expr, evaluate, gradient, type Inputs, input, type TensorValue } from "@proximal/core";
import { packedAttention } from "./attention.js";
import { packing, positionIds, predictorRows, visibleKeys } from "./packing.js";

const groupOf = (inputs: Inputs) => packing(inputs.prefixLength as number, inputs.suffixLengths as number[]);

const rowsOf = ({ data, shape }: TensorValue): number[][] => {
  const width = data.length / Math.max(1, shape[0]!);
  return Array.from({ length: shape[0]! }, (_, row) => Array.from(data.slice(row * width, (row + 1) * width)));
};

export default defineConformance({
  "attention/forward-backward": ({ heads = 1 }, inputs) => {
    const group = groupOf(inputs);
    const [n, d] = [(inputs.queryRows as number[][]).length, (inputs.queryRows as number[][])[0]!.length];
    const shape = [n, Number(heads), d / Number(heads)];
    const names = ["queryRows", "keyRows", "valueRows", "gradOutput"];
    const feeds = Object.fromEntries(names.map((name) => [name, { shape, data: Float64Array.from((inputs[name] as number[][]).flat()) }]));
    const [q, k, v, upstream] = names.map((name) => input(name, shape)) as [Expr, Expr, Expr, Expr];
    const output = packedAttention(group, { q, k, v });
    const gradients = gradient(output.mul(upstream).sum(), [q, k, v]);
    const [o, gradQueryRows, gradKeyRows, gradValueRows] = evaluate([output, ...gradients], feeds).map(rowsOf);
    return { positionIds: positionIds(group), visibleKeys: visibleKeys(group), output: o, gradQueryRows, gradKeyRows, gradValueRows };
  },
  "attention/predictor-rows": ({ includePrefixLast = 1 }, inputs) => {
    const group = groupOf(inputs);
    return {
      positionIds: positionIds(group),
      visibleKeys: visibleKeys(group),
      predictorRows: predictorRows(group, Number(includePrefixLast) !== 0),
    };
  },
});
