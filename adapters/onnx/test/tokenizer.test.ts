import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CheckpointError, DataError } from "@proximal/core";
import { expect } from "chai";
import { HuggingFaceTokenizer, readTokenizerFiles, suggestedSampling } from "../src/tokenizer.js";
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

  const template = (text: string): void => writeFileSync(join(folder, "chat_template.jinja"), text);
  const asked = [{ role: "user", content: "1" }] as const;

  it("hands the chat template the variables that it is given", () => {
    writeTokenizer(folder);
    template("{{ messages[0].content }}{% if enable_thinking is defined and not enable_thinking %}={% endif %}");
    expect(new HuggingFaceTokenizer(folder).chat!(asked)).to.equal("1");
    expect(new HuggingFaceTokenizer(folder, { enable_thinking: false }).chat!(asked)).to.equal("1=");
  });

  it("tells a chat template the same day on every day, Llama's own", () => {
    writeTokenizer(folder);
    template("{{ strftime_now('%A, %d %b %Y, %B, %Y-%m-%d, %%') }}");
    expect(new HuggingFaceTokenizer(folder).chat!(asked)).to.equal("Friday, 26 Jul 2024, July, 2024-07-26, %");
  });

  it("tells messages that the chat template refuses with the template's reason", () => {
    writeTokenizer(folder);
    template("{{ raise_exception('System role not supported') }}");
    expect(() => new HuggingFaceTokenizer(folder).chat!([{ role: "system", content: "be brief" }, ...asked]))
      .to.throw(DataError, /refuses the messages: System role not supported/)
      .with.nested.property("details.given", "system, user");
  });

  it("pads with an end token where none is named for padding, and with token 0 where there is neither", () => {
    for (const [names, padToken] of [
      [{ eos_token: "</s>" }, 2],
      [{}, 0],
    ] as const) {
      writeTokenizer(folder);
      writeFileSync(join(folder, "tokenizer_config.json"), JSON.stringify(names));
      expect(new HuggingFaceTokenizer(folder).padToken).to.equal(padToken);
    }
  });

  for (const [generation, words] of [
    [
      { do_sample: true, temperature: 0.7, top_p: 0.8, top_k: 20, repetition_penalty: 1.1 },
      "temperature 0.7, top_p 0.8, top_k 20, repetition_penalty 1.1",
    ],
    [{ do_sample: true, temperature: 1, top_p: 1 }, undefined],
    [{ temperature: 0.7 }, undefined],
    [undefined, undefined],
  ] as const) {
    it(`reads how its makers sample from ${JSON.stringify(generation)}`, () => {
      writeTokenizer(folder);
      if (generation !== undefined) writeFileSync(join(folder, "generation_config.json"), JSON.stringify(generation));
      expect(suggestedSampling(readTokenizerFiles(folder))).to.equal(words);
    });
  }

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
