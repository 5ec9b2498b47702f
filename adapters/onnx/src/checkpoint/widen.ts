import type { StoredType } from "./safetensors.js";

const word = new Uint32Array(1);
const real = new Float32Array(word.buffer);

/** IEEE half precision: subnormal numbers are mantissa · 2⁻²⁴. */
function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

/** bfloat16 is the upper half of a float32. */
function brain(bits: number): number {
  word[0] = bits << 16;
  return real[0]!;
}

/** Little-endian data of a stored type as float32. */
export function widen(bytes: Uint8Array<ArrayBuffer>, type: StoredType): Float32Array<ArrayBuffer> {
  if (type === "F32") return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const stored = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  return Float32Array.from(stored, type === "F16" ? half : brain);
}
