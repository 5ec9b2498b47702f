import { allocate, elementCount } from "../value.js";
import type { Kernel } from "./kernel.js";
import { erf, sigmoid, softplus } from "./special.js";
import { broadcastStrides, forEachRow, rowMajorStrides } from "./strides.js";

function unary(f: (x: number) => number): Kernel {
  return ({ node, inputs: [x] }) => {
    const source = x!.data;
    const result = allocate(node.dtype, source.length);
    for (let i = 0; i < source.length; i++) result[i] = f(source[i]!);
    return result;
  };
}

function binary(f: (a: number, b: number) => number, onIntegers = f): Kernel {
  return ({ node, inputs: [a, b], shape }) => {
    const result = allocate(node.dtype, elementCount(shape));
    const apply = a!.data instanceof Int32Array ? onIntegers : f;
    const [left, right] = [a!.data, b!.data];
    const strides = [rowMajorStrides(shape), broadcastStrides(a!.shape, shape), broadcastStrides(b!.shape, shape)];
    forEachRow(shape, strides, (n, [o, p, q], [, pStep, qStep]) => {
      for (let k = 0, i = p!, j = q!; k < n; k++, i += pStep!, j += qStep!) result[o! + k] = apply(left[i]!, right[j]!);
    });
    return result;
  };
}

const where: Kernel = ({ node, inputs: [condition, a, b], shape }) => {
  const result = allocate(node.dtype, elementCount(shape));
  const [test, yes, no] = [condition!.data, a!.data, b!.data];
  const strides = [rowMajorStrides(shape), ...[condition!, a!, b!].map((x) => broadcastStrides(x.shape, shape))];
  forEachRow(shape, strides, (n, [o, c, p, q], [, cStep, pStep, qStep]) => {
    for (let k = 0; k < n; k++) result[o! + k] = test[c! + k * cStep!] ? yes[p! + k * pStep!]! : no[q! + k * qStep!]!;
  });
  return result;
};

const cast: Kernel<"cast"> = ({ node, inputs: [x] }) => {
  const result = allocate(node.dtype, x!.data.length);
  for (let i = 0; i < result.length; i++) {
    const value = x!.data[i]!;
    result[i] = node.dtype === "bool" ? Number(value !== 0) : node.dtype === "int" ? Math.trunc(value) : value;
  }
  return result;
};

export const elementwise = {
  neg: unary((x) => -x),
  abs: unary(Math.abs),
  sign: unary(Math.sign),
  exp: unary(Math.exp),
  log: unary(Math.log),
  log1p: unary(Math.log1p),
  expm1: unary(Math.expm1),
  tanh: unary(Math.tanh),
  sigmoid: unary(sigmoid),
  softplus: unary(softplus),
  sqrt: unary(Math.sqrt),
  sin: unary(Math.sin),
  cos: unary(Math.cos),
  floor: unary(Math.floor),
  erf: unary(erf),
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b, Math.imul),
  div: binary((a, b) => a / b), // storing into an Int32Array truncates
  pow: binary((a, b) => a ** b),
  min: binary(Math.min),
  max: binary(Math.max),
  less: binary((a, b) => Number(a < b)),
  lessEqual: binary((a, b) => Number(a <= b)),
  equal: binary((a, b) => Number(a === b)),
  not: unary((x) => 1 - x),
  and: binary((a, b) => a & b),
  or: binary((a, b) => a | b),
  isFinite: unary((x) => Number(Number.isFinite(x))),
  where,
  cast,
};
