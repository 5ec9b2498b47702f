/** Typed arrays that states and trajectories may hold. */
const TYPED = { Float64Array, Float32Array, Int32Array, Uint32Array, Uint8Array, BigInt64Array } as const;
type TypedName = keyof typeof TYPED;

const isTypedName = (name: string): name is TypedName => Object.hasOwn(TYPED, name);

/**
 * JSON text of a plain value, exact to the bit: typed arrays as base64 of their little-endian bytes, and the numbers that
 * JSON lacks (NaN, ±Infinity, -0) under the key `$`.
 */
export function toJson(value: unknown): string {
  return JSON.stringify(encode(value));
}

function encode(value: unknown): unknown {
  if (typeof value === "number") {
    return Number.isFinite(value) && !Object.is(value, -0) ? value : { $: Object.is(value, -0) ? "-0" : String(value) };
  }
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return { $: value.constructor.name, base64: bytes.toString("base64") };
  }
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, encode(item)]));
  }
  return value;
}

/** Reads what `toJson` wrote. */
export function fromJson(text: string): unknown {
  return JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== "object" || value === null || !("$" in value) || typeof value.$ !== "string") return value;
    if (!("base64" in value)) return Number(value.$);
    if (!isTypedName(value.$)) return value;
    const bytes = Uint8Array.from(Buffer.from(String(value.base64), "base64"));
    return new TYPED[value.$](bytes.buffer);
  });
}
