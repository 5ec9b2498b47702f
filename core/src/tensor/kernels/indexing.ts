import { ShapeError } from "../../errors.js";
import { allocate, elementCount, type TensorData } from "../value.js";
import type { Kernel } from "./kernel.js";
import { aroundAxis } from "./reductions.js";

function checkIndices(what: string, indices: TensorData, size: number): void {
  for (const index of indices) {
    if (index < 0 || index >= size)
      throw new ShapeError(`${what}: index ${index} lies outside an axis of ${size}`, { accepted: `0 to ${size - 1}` });
  }
}

const gather: Kernel<"gather"> = ({ node, inputs: [x, indices], shape }) => {
  const { outer, size, inner } = aroundAxis(x!.shape, node.attributes.axis);
  const [source, picks] = [x!.data, indices!.data];
  checkIndices("gather", picks, size);
  const result = allocate(node.dtype, elementCount(shape));
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (const pick of picks) {
      const from = (o * size + pick) * inner;
      for (let i = 0; i < inner; i++) result[at++] = source[from + i]!;
    }
  }
  return result;
};

const scatterAdd: Kernel<"scatterAdd"> = ({ node, inputs: [indices, updates], shape }) => {
  const { outer, size, inner } = aroundAxis(shape, node.attributes.axis);
  const [picks, source] = [indices!.data, updates!.data];
  checkIndices("scatterAdd", picks, size);
  const result = allocate(node.dtype, elementCount(shape));
  let at = 0;
  for (let o = 0; o < outer; o++) {
    for (const pick of picks) {
      const to = (o * size + pick) * inner;
      for (let i = 0; i < inner; i++) result[to + i]! += source[at++]!;
    }
  }
  return result;
};

/** Calls `visit(element of the indices, element that it points to)` for operands shaped [outer, ·, inner]. */
function forEachElement(
  indices: TensorData,
  along: { outer: number; size: number; inner: number },
  size: number,
  visit: (at: number, target: number) => void,
): void {
  let at = 0;
  for (let o = 0; o < along.outer; o++) {
    for (let k = 0; k < along.size; k++) {
      for (let i = 0; i < along.inner; i++, at++) visit(at, (o * size + indices[at]!) * along.inner + i);
    }
  }
}

const gatherElements: Kernel<"gatherElements"> = ({ node, inputs: [x, indices] }) => {
  const { axis } = node.attributes;
  const size = x!.shape[axis]!;
  checkIndices("gatherElements", indices!.data, size);
  const result = allocate(node.dtype, indices!.data.length);
  forEachElement(indices!.data, aroundAxis(indices!.shape, axis), size, (at, from) => {
    result[at] = x!.data[from]!;
  });
  return result;
};

const scatterElementsAdd: Kernel<"scatterElementsAdd"> = ({ node, inputs: [indices, updates], shape }) => {
  const { axis } = node.attributes;
  const size = shape[axis]!;
  checkIndices("scatterElementsAdd", indices!.data, size);
  const result = allocate(node.dtype, elementCount(shape));
  forEachElement(indices!.data, aroundAxis(indices!.shape, axis), size, (at, to) => {
    result[to]! += updates!.data[at]!;
  });
  return result;
};

export const indexing = { gather, scatterAdd, gatherElements, scatterElementsAdd };
