import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { dequantise, type GgufType } from "../../src/gguf/index.js";
import { FIXTURES } from "./fixtures.js";

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, "base64"));

describe("quantised blocks", () => {
  const blocks = JSON.parse(readFileSync(join(FIXTURES, "blocks.json"), "utf8")) as Record<string, { bytes: string; values: string }>;
  for (const [type, { bytes, values }] of Object.entries(blocks)) {
    it(`${type} is read bit for bit as the gguf package reads it`, () => {
      expect(dequantise(bytesOf(bytes), type as GgufType)).to.deep.equal(new Float32Array(bytesOf(values).buffer));
    });
  }
});
