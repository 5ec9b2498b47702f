import { ShapeError } from "../../errors.js";
import { formatShape } from "../shape.js";
import { allocate, elementCount } from "../value.js";
import type { Kernel } from "./kernel.js";
import { broadcastStrides, copyBlock, rowMajorStrides } from "./strides.js";

const dot = (strides: readonly number[], index: readonly number[]): number =>
  strides.reduce((total, step, i) => total + step * index[i]!, 0);

const transpose: Kernel<"transpose"> = ({ node, inputs: [x], shape }) => {
  const data = allocate(node.dtype, x!.data.length);
  const own = rowMajorStrides(x!.shape);
  const strides = node.attributes.permutation.map((axis) => own[axis]!);
  copyBlock(shape, { data: x!.data, strides, offset: 0 }, { data, strides: rowMajorStrides(shape), offset: 0 });
  return data;
};

const slice: Kernel<"slice"> = ({ node, inputs: [x], shape, size }) => {
  const data = allocate(node.dtype, elementCount(shape));
  const starts = node.attributes.starts.map(size);
  if (starts.some((start, i) => start + shape[i]! > x!.shape[i]!)) {
    throw new ShapeError(`slice: a block of ${formatShape(shape)} from ${formatShape(starts)} reaches out of ${formatShape(x!.shape)}`);
  }
  const strides = rowMajorStrides(x!.shape);
  const offset = dot(strides, starts);
  copyBlock(shape, { data: x!.data, strides, offset }, { data, strides: rowMajorStrides(shape), offset: 0 });
  return data;
};

const pad: Kernel<"pad"> = ({ node, inputs: [x], shape, size }) => {
  const data = allocate(node.dtype, elementCount(shape));
  const strides = rowMajorStrides(shape);
  const offset = dot(strides, node.attributes.before.map(size));
  copyBlock(x!.shape, { data: x!.data, strides: rowMajorStrides(x!.shape), offset: 0 }, { data, strides, offset });
  return data;
};

const concat: Kernel<"concat"> = ({ node, inputs, shape }) => {
  const data = allocate(node.dtype, elementCount(shape));
  const strides = rowMajorStrides(shape);
  let offset = 0;
  for (const part of inputs) {
    copyBlock(part.shape, { data: part.data, strides: rowMajorStrides(part.shape), offset: 0 }, { data, strides, offset });
    offset += part.shape[node.attributes.axis]! * strides[node.attributes.axis]!;
  }
  return data;
};

const broadcast: Kernel<"broadcast"> = ({ node, inputs: [x], shape }) => {
  const data = allocate(node.dtype, elementCount(shape));
  copyBlock(
    shape,
    { data: x!.data, strides: broadcastStrides(x!.shape, shape), offset: 0 },
    { data, strides: rowMajorStrides(shape), offset: 0 },
  );
  return data;
};

export const layout = { transpose, slice, pad, concat, broadcast };
