import type { StoredType } from "./safetensors.js";

/** IEEE half precision: subnormal numbers are mantissa · 2⁻²⁴. */
function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + mantissa) * 2 ** (exponent - 25);
}

let halves: Float32Array | undefined;

/** The value of each of the 65 536 half precision numbers, by its bits. */
export function halfTable(): Float32Array {
  halves ??= Float32Array.from({ length: 65_536 }, (_, bits) => halfOf(bits));
  return halves;
}

/** Little-endian data of a stored type as float32. bfloat16 is the upper half of a float32. */
export function widen(bytes: Uint8Array<ArrayBuffer>, type: StoredType): Float32Array<ArrayBuffer> {
  if (type === "F32") return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const stored = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const values = new Float32Array(stored.length);
  if (type === "F16") {
    const table = halfTable();
    for (let i = 0; i < stored.length; i++) values[i] = table[stored[i]!]!;
  } else {
    const words = new Uint32Array(values.buffer);
    for (let i = 0; i < stored.length; i++) words[i] = stored[i]! << 16;
  }
  return values;
}
