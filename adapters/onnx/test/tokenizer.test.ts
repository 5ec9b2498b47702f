import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CheckpointError } from "@proximal/core";
import { expect } from "chai";
import { HuggingFaceTokenizer } from "../src/tokenizer.js";
import { vocabularySize, writeTokenizer } from "./fixture.js";

describe("the tokenizer of a Hugging Face folder", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "tokenizer-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("turns text into ids and back, with and without special tokens", () => {
    writeTokenizer(folder);
    const tokenizer = new HuggingFaceTokenizer(folder);
    const ids = tokenizer.encode("12+7=19");
    expect([...ids]).to.deep.equal([4, 5, 13, 10, 14, 4, 12]);
    const ended = Int32Array.of(...ids, 2, 0);
    expect(tokenizer.decode(ended)).to.equal("12+7=19");
    expect(tokenizer.decode(ended, { skipSpecial: false })).to.equal("12+7=19</s><pad>");
    expect(tokenizer.decode([])).to.equal("");
  });

  it("knows its size, padding and the stop tokens of both configs", () => {
    writeTokenizer(folder);
    writeFileSync(join(folder, "generation_config.json"), JSON.stringify({ eos_token_id: [2, 16] }));
    const { vocabularySize: size, padToken, stopTokens, chat } = new HuggingFaceTokenizer(folder);
    expect({ size, padToken, stopTokens, chat }).to.deep.equal({ size: vocabularySize, padToken: 0, stopTokens: [2, 16], chat: undefined });
  });

  it("renders messages with the chat template and adds no second beginning", () => {
    writeTokenizer(folder, { chat: true, begins: true });
    const tokenizer = new HuggingFaceTokenizer(folder);
    const text = tokenizer.chat!([{ role: "user", content: "1+1" }]);
    expect(text).to.equal("<s>1+1=");
    expect([...tokenizer.encode(text)]).to.deep.equal([1, 4, 13, 4, 14]);
    expect([...tokenizer.encode("1+1=")]).to.deep.equal([1, 4, 13, 4, 14]);
    expect([...tokenizer.encode("1+1=", { special: false })]).to.deep.equal([4, 13, 4, 14]);
  });

  for (const [what, prepare, file] of [
    ["a missing file", () => writeFileSync(join(folder, "tokenizer.json"), "{}"), "tokenizer_config.json"],
    [
      "a broken one",
      () => {
        writeTokenizer(folder);
        writeFileSync(join(folder, "tokenizer.json"), "{");
      },
      "tokenizer.json",
    ],
    [
      "a foreign one",
      () => {
        writeTokenizer(folder);
        writeFileSync(join(folder, "tokenizer.json"), '{"model": {"type": "Unheard"}}');
      },
      "tokenizer.json",
    ],
  ] as const) {
    it(`${what} is an error that names it`, () => {
      prepare();
      expect(() => new HuggingFaceTokenizer(folder))
        .to.throw(CheckpointError)
        .with.nested.property("details.file", join(folder, file));
    });
  }
});
