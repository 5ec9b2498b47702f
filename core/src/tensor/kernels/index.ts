import { EngineError } from "../../errors.js";
import type { Op } from "../ops.js";
import { allocate } from "../value.js";
import { elementwise } from "./elementwise.js";
import { indexing } from "./indexing.js";
import type { Kernel } from "./kernel.js";
import { layout } from "./layout.js";
import { matmul } from "./matmul.js";
import { reductions } from "./reductions.js";

const identity: Kernel = ({ inputs: [x] }) => x!.data;

const constant: Kernel<"constant"> = ({ node }) => {
  const result = allocate(node.dtype, node.attributes.data.length);
  result.set(node.attributes.data);
  return result;
};

const iota: Kernel<"iota"> = ({ shape: [size] }) => Int32Array.from({ length: size! }, (_, i) => i);

const external: Kernel<"external"> = ({ node }) => {
  const { domain, operator } = node.attributes;
  const name = domain ? `${domain}.${operator}` : operator;
  throw new EngineError(`${name} is a runtime's own operator: the reference evaluator cannot compute it`);
};

/** Every primitive in float64; `input` is fed. */
export const kernels: { [O in Exclude<Op, "input">]: Kernel<O> } = {
  ...elementwise,
  ...reductions,
  ...layout,
  ...indexing,
  constant,
  iota,
  matmul,
  reshape: identity,
  stopGradient: identity,
  customGradient: identity,
  guard: identity,
  external,
};
