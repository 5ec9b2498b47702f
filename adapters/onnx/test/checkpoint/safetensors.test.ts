import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CheckpointError } from "@proximal/core";
import { expect } from "chai";
import { SafetensorsFile, writeSafetensors } from "../../src/checkpoint/safetensors.js";

const tensors = [
  { name: "a.weight", shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, Number.NaN, 1e-40) },
  { name: "b.bias", shape: [1], data: Float32Array.of(7) },
];

/** A file as another program writes it. */
function foreign(entries: Record<string, { dtype: string; shape: number[]; bytes: number[] }>): Buffer {
  let end = 0;
  const header = Object.fromEntries(
    Object.entries(entries).map(([name, { dtype, shape, bytes }]) => {
      const start = end;
      end += bytes.length;
      return [name, { dtype, shape, data_offsets: [start, end] }];
    }),
  );
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...Object.values(entries).map(({ bytes }) => Buffer.from(bytes))]);
}

describe("safetensors", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "safetensors-"));
    path = join(folder, "model.safetensors");
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const read = (name: string, shape: number[]) => {
    const file = SafetensorsFile.open(path);
    try {
      return file.read(name, shape);
    } finally {
      file.close();
    }
  };

  it("reads back what was written, bit for bit, and leaves no temporary file", () => {
    writeSafetensors(path, tensors, { step: "3" });
    for (const { name, shape, data } of tensors) {
      expect(new Uint32Array(read(name, shape).buffer)).to.deep.equal(new Uint32Array(data.buffer));
    }
    expect(readdirSync(folder)).to.deep.equal(["model.safetensors"]);
  });

  for (const [dtype, bytes, values] of [
    ["F16", [0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0x00, 0x7c], [1, -2, 2 ** -24, Number.POSITIVE_INFINITY]],
    ["BF16", [0x80, 0x3f, 0x00, 0xc0, 0x80, 0x7f, 0x49, 0x40], [1, -2, Number.POSITIVE_INFINITY, 3.140625]],
  ] as const) {
    it(`widens ${dtype} exactly`, () => {
      writeFileSync(path, foreign({ x: { dtype, shape: [4], bytes: [...bytes] } }));
      expect([...read("x", [4])]).to.deep.equal(values);
    });
  }

  const damage = (change: (bytes: Buffer) => Buffer) => {
    writeSafetensors(path, tensors);
    writeFileSync(path, change(readFileSync(path)));
  };
  for (const [what, prepare, act, message] of [
    ["a truncated file", () => damage((bytes) => bytes.subarray(0, -2)), () => read("b.bias", [1]), /truncated/],
    ["an empty file", () => writeFileSync(path, ""), () => read("b.bias", [1]), /no safetensors file/],
    ["a file that is something else", () => writeFileSync(path, "x".repeat(100)), () => read("b.bias", [1]), /no safetensors file/],
    ["a missing file", () => {}, () => read("b.bias", [1]), /cannot be opened/],
    ["a missing tensor", () => writeSafetensors(path, tensors), () => read("c", [1]), /tensor c: missing/],
    ["a wrong shape", () => writeSafetensors(path, tensors), () => read("a.weight", [3, 2]), /tensor a.weight: another shape/],
    [
      "another type",
      () => writeFileSync(path, foreign({ x: { dtype: "I64", shape: [1], bytes: [0, 0, 0, 0, 0, 0, 0, 0] } })),
      () => read("x", [1]),
      /tensor x: unsupported type/,
    ],
    [
      "a flipped bit",
      () =>
        damage((bytes) => {
          bytes[bytes.length - 1]! ^= 1;
          return bytes;
        }),
      () => read("b.bias", [1]),
      /tensor b.bias: .*checksum/,
    ],
  ] as const) {
    it(`${what} is an error that names the file`, () => {
      prepare();
      expect(act).to.throw(CheckpointError, message).with.nested.property("details.file", path);
    });
  }
});
