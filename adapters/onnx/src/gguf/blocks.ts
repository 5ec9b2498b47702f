import { halfTable } from "../checkpoint/widen.js";

/**
 * How ggml stores values: blocks of small integers with a scale (and a minimum) of each block. Layouts are those of
 * ggml-common.h, https://github.com/ggml-org/ggml.
 */
interface BlockFormat {
  /** Values of a block. */
  values: number;
  /** Bytes of a block. */
  bytes: number;
  /** Writes the values of the block at `at` to `out`, from `to` on. */
  read(b: Uint8Array, at: number, out: Float32Array, to: number): void;
}

const HALF = halfTable();
const half = (b: Uint8Array, at: number): number => HALF[b[at]! | (b[at + 1]! << 8)]!;
const signed = (byte: number): number => (byte << 24) >> 24;

/**
 * 32 values of four bits, the second half in the upper bits; with `high`, a fifth bit of each from a word there. With a
 * `centre` d·(q − centre), else d·q + m with m stored behind d.
 */
const nibbles = (bytes: number, { codes, high, centre }: { codes: number; high?: number; centre?: number }): BlockFormat => ({
  values: 32,
  bytes,
  read(b, at, out, to) {
    const d = half(b, at);
    const m = half(b, at + 2);
    const value = (q: number) => (centre === undefined ? d * q + m : d * (q - centre));
    const from = at + codes;
    const word = high === undefined ? 0 : b[at + high]! | (b[at + high + 1]! << 8) | (b[at + high + 2]! << 16) | (b[at + high + 3]! << 24);
    for (let i = 0; i < 16; i++) {
      const byte = b[from + i]!;
      out[to + i] = value((byte & 15) | (((word >> i) & 1) << 4));
      out[to + 16 + i] = value((byte >> 4) | (((word >> (16 + i)) & 1) << 4));
    }
  },
});

/** Six-bit scale and minimum of sub-block j of eight, packed into twelve bytes. */
function scaleAndMinimum(b: Uint8Array, at: number, j: number): [scale: number, minimum: number] {
  if (j < 4) return [b[at + j]! & 63, b[at + 4 + j]! & 63];
  const upper = b[at + 4 + j]!;
  return [(upper & 15) | ((b[at + j - 4]! >> 2) & 48), (upper >> 4) | ((b[at + j]! >> 2) & 48)];
}

/** Q4_K, and with a fifth bit of each value in 32 bytes Q5_K. */
const fourOrFive = (fifth: boolean): BlockFormat => ({
  values: 256,
  bytes: fifth ? 176 : 144,
  read(b, at, out, to) {
    const [d, dMinimum] = [half(b, at), half(b, at + 2)];
    const codes = at + (fifth ? 48 : 16);
    for (let j = 0; j < 8; j++) {
      const [scale, minimum] = scaleAndMinimum(b, at + 4, j);
      const [step, offset] = [d * scale, dMinimum * minimum];
      for (let i = 0; i < 32; i++) {
        const low = (b[codes + 32 * (j >> 1) + i]! >> (4 * (j & 1))) & 15;
        const high = fifth ? ((b[at + 16 + i]! >> j) & 1) << 4 : 0;
        out[to + 32 * j + i] = step * (low | high) - offset;
      }
    }
  },
});

const twoBits: BlockFormat = {
  values: 256,
  bytes: 84,
  read(b, at, out, to) {
    const [d, dMinimum] = [half(b, at + 80), half(b, at + 82)];
    for (let v = 0; v < 256; v++) {
      const scale = b[at + (v >> 4)]!;
      const q = (b[at + 16 + 32 * (v >> 7) + (v & 31)]! >> (2 * ((v >> 5) & 3))) & 3;
      out[to + v] = d * (scale & 15) * q - dMinimum * (scale >> 4);
    }
  },
};

const threeBits: BlockFormat = {
  values: 256,
  bytes: 110,
  read(b, at, out, to) {
    const [d, scales] = [half(b, at + 108), at + 96];
    for (let v = 0; v < 256; v++) {
      const j = v >> 4;
      const low = (b[scales + (j & 7)]! >> (j < 8 ? 0 : 4)) & 15;
      const scale = (low | (((b[scales + 8 + (j & 3)]! >> (2 * (j >> 2))) & 3) << 4)) - 32;
      const q = (b[at + 32 + 32 * (v >> 7) + (v & 31)]! >> (2 * ((v >> 5) & 3))) & 3;
      const high = (b[at + (v & 31)]! >> (v >> 5)) & 1;
      out[to + v] = d * scale * (q - (high === 1 ? 0 : 4));
    }
  },
};

const sixBits: BlockFormat = {
  values: 256,
  bytes: 210,
  read(b, at, out, to) {
    const d = half(b, at + 208);
    for (let v = 0; v < 256; v++) {
      const [part, row] = [v >> 7, (v >> 5) & 3];
      const low = (b[at + 64 * part + 32 * (row & 1) + (v & 31)]! >> (4 * (row >> 1))) & 15;
      const high = (b[at + 128 + 32 * part + (v & 31)]! >> (2 * row)) & 3;
      out[to + v] = d * signed(b[at + 192 + (v >> 4)]!) * ((low | (high << 4)) - 32);
    }
  },
};

const eightBits: BlockFormat = {
  values: 32,
  bytes: 34,
  read(b, at, out, to) {
    const d = half(b, at);
    for (let i = 0; i < 32; i++) out[to + i] = d * signed(b[at + 2 + i]!);
  },
};

/** What the sixteen codes of the non-linear formats stand for. */
const STEPS = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] as const;

const stepsOf32 = (b: Uint8Array, at: number, scale: number, out: Float32Array, to: number): void => {
  for (let i = 0; i < 16; i++) {
    const byte = b[at + i]!;
    out[to + i] = scale * STEPS[byte & 15]!;
    out[to + 16 + i] = scale * STEPS[byte >> 4]!;
  }
};

const steps: BlockFormat = {
  values: 32,
  bytes: 18,
  read: (b, at, out, to) => stepsOf32(b, at + 2, half(b, at), out, to),
};

/** Eight sub-blocks with a six-bit scale each: four bits of it in a byte of two, two bits in a word of all. */
const scaledSteps: BlockFormat = {
  values: 256,
  bytes: 136,
  read(b, at, out, to) {
    const [d, high] = [half(b, at), b[at + 2]! | (b[at + 3]! << 8)];
    for (let j = 0; j < 8; j++) {
      const scale = ((b[at + 4 + (j >> 1)]! >> (4 * (j & 1))) & 15) | (((high >> (2 * j)) & 3) << 4);
      stepsOf32(b, at + 8 + 16 * j, d * (scale - 32), out, to + 32 * j);
    }
  },
};

/** The quantised formats that can be read, by ggml's name. */
export const BLOCK_FORMATS = {
  Q4_0: nibbles(18, { codes: 2, centre: 8 }),
  Q4_1: nibbles(20, { codes: 4 }),
  Q5_0: nibbles(22, { codes: 6, high: 2, centre: 16 }),
  Q5_1: nibbles(24, { codes: 8, high: 4 }),
  Q8_0: eightBits,
  Q2_K: twoBits,
  Q3_K: threeBits,
  Q4_K: fourOrFive(false),
  Q5_K: fourOrFive(true),
  Q6_K: sixBits,
  IQ4_NL: steps,
  IQ4_XS: scaledSteps,
} as const satisfies Record<string, BlockFormat>;
export type BlockType = keyof typeof BLOCK_FORMATS;
