import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProximalError } from "@proximal/core";
import { expect } from "chai";
import { fixture, openFixture } from "./fixtures.js";

describe("a model that cannot be read", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "unreadable-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const edit = (file: string, change: (json: Record<string, unknown>) => object) => () => {
    const path = join(folder, file);
    writeFileSync(path, JSON.stringify(change(JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>)));
  };
  const remove = (file: string) => () => rmSync(join(folder, file));
  /** Changes the bytes of a file. */
  const patch = (file: string, change: (bytes: Buffer) => void) => () => {
    const path = join(folder, file);
    const bytes = readFileSync(path);
    change(bytes);
    writeFileSync(path, bytes);
  };
  /** Stored type of a GGUF file's first tensor whose name contains `name`. */
  const retype = (name: string, type: number) =>
    patch("model.gguf", (bytes) => {
      const at = bytes.indexOf(name) + name.length;
      bytes.writeUInt32LE(type, at + 4 + 8 * bytes.readUInt32LE(at));
    });

  const cases: readonly [what: string, fixture: string, damage: () => void, file: string, message: RegExp, remedy: RegExp][] = [
    [
      "an architecture that no graph is written for",
      "qwen2",
      edit("config.json", (json) => ({ ...json, model_type: "mamba" })),
      "config.json",
      /unsupported architecture/,
      /accepted: {1,4}llama, qwen2, qwen3, gpt2/,
    ],
    [
      "quantised safetensors",
      "qwen2",
      edit("config.json", (json) => ({ ...json, quantization_config: { quant_method: "awq" } })),
      "config.json",
      /quantised parameters/,
      /GGUF/,
    ],
    [
      "another scaling of positions",
      "qwen3",
      edit("config.json", (json) => ({ ...json, rope_parameters: { rope_type: "longrope", factor: 4 } })),
      "config.json",
      /scaling of positions/,
      /linear, llama3, yarn/,
    ],
    [
      "a config of another model",
      "qwen2",
      edit("config.json", (json) => ({ ...json, intermediate_size: 96 })),
      "model.safetensors",
      /mlp\.gate_proj\.weight: another shape/,
      /same model/,
    ],
    [
      "a config with more layers",
      "qwen2",
      edit("config.json", (json) => ({ ...json, num_hidden_layers: 3 })),
      "model.safetensors",
      /model\.layers\.2\.input_layernorm\.weight: missing/,
      /same model/,
    ],
    [
      "a tied model whose config does not say so",
      "qwen2",
      edit("config.json", ({ tie_word_embeddings: _, ...json }) => json),
      "model.safetensors",
      /lm_head\.weight: missing/,
      /"tie_word_embeddings": true/,
    ],
    [
      "a missing shard",
      "llama3",
      remove("model-00002-of-00002.safetensors"),
      "model-00002-of-00002.safetensors",
      /1 of the 2 shards/,
      /download model-00002-of-00002/,
    ],
    [
      "an index of shards that names none",
      "llama3",
      edit("model.safetensors.index.json", () => ({ metadata: {} })),
      "model.safetensors.index.json",
      /names no shards/,
      /download it again/,
    ],
    ["missing parameters", "qwen2", remove("model.safetensors"), "model.safetensors", /not there/, /download model\.safetensors/],
    [
      "parameters as pickle",
      "qwen2",
      () => {
        remove("model.safetensors")();
        writeFileSync(join(folder, "pytorch_model.bin"), "");
      },
      "model.safetensors",
      /not there/,
      /pytorch_model\.bin is not read/,
    ],
    [
      "a truncated file",
      "qwen2",
      () => truncateSync(join(folder, "model.safetensors"), 50_000),
      "model.safetensors",
      /truncated/,
      /download or copy it again/,
    ],
    [
      "a folder of low-rank updates alone",
      "qwen2",
      () => {
        for (const file of ["config.json", "model.safetensors"]) remove(file)();
        writeFileSync(join(folder, "adapter_config.json"), JSON.stringify({ peft_type: "LORA", base_model_name_or_path: "some/base" }));
      },
      "adapter_config.json",
      /low-rank updates of a model, not the model/,
      /updates of some\/base[\s\S]*merged/,
    ],
    ["a folder without config.json", "qwen2", remove("config.json"), "config.json", /cannot be read/, /ENOENT/],
    ["a missing tokenizer", "qwen2", remove("tokenizer.json"), "tokenizer.json", /a tokenizer needs this file/, /model\.tokenizer/],
    [
      "an end token that the vocabulary does not have",
      "qwen2",
      edit("tokenizer_config.json", (json) => ({ ...json, eos_token: "</end>" })),
      "tokenizer_config.json",
      /eos_token is no token of the vocabulary/,
      /same model/,
    ],
    [
      "a padding token that the vocabulary does not have",
      "qwen2",
      edit("tokenizer_config.json", (json) => ({ ...json, pad_token: "<nothing>" })),
      "tokenizer_config.json",
      /pad_token is no token of the vocabulary/,
      /same model/,
    ],
    [
      "a chat template with a mistake",
      "qwen2",
      () => writeFileSync(join(folder, "chat_template.jinja"), "{% for message in messages %}"),
      "chat_template.jinja",
      /chat template cannot be read/,
      /Jinja/,
    ],
    [
      "a quantisation of GGUF that is not read",
      "qwen2-gguf",
      retype("blk.0.attn_q.weight", 16),
      "model.gguf",
      /blk\.0\.attn_q\.weight: unsupported quantisation/,
      /given: +IQ2_XXS\n.*accepted: .*Q4_K, .*IQ4_XS\n.*hint: .*Q8_0/,
    ],
    [
      "a model of GGUF without one of its parts",
      "smollm2-gguf-parts",
      remove("model-00003-of-00003.gguf"),
      "model-00003-of-00003.gguf",
      /1 of the model's 3 parts are missing/,
      /download model-00003-of-00003\.gguf/,
    ],
    [
      "a part of GGUF with the name of another",
      "smollm2-gguf-parts",
      () => cpSync(join(folder, "model-00002-of-00003.gguf"), join(folder, "model-00003-of-00003.gguf")),
      "model-00003-of-00003.gguf",
      /is part 2 of 3/,
      /its name says otherwise/,
    ],
    [
      "a part of GGUF under a name of its own",
      "smollm2-gguf-parts",
      () => renameSync(join(folder, "model-00001-of-00003.gguf"), join(folder, "model.gguf")),
      "model.gguf",
      /is part 1 of 3/,
      /NAME-00001-of-00003\.gguf/,
    ],
    [
      "a whole model of GGUF in place of a part",
      "smollm2-gguf-parts",
      () => cpSync(join(fixture("smollm2-gguf"), "model.gguf"), join(folder, "model-00002-of-00003.gguf")),
      "model-00002-of-00003.gguf",
      /is a whole model/,
      /download it again/,
    ],
    [
      "an architecture of GGUF that no graph is written for",
      "qwen2-gguf",
      patch("model.gguf", (bytes) => {
        for (const at of [bytes.indexOf("qwen2")]) bytes.write("mamba", at);
      }),
      "model.gguf",
      /unsupported architecture/,
      /llama, qwen2, qwen3/,
    ],
    [
      "a GGUF file that is cut off",
      "qwen2-gguf",
      () => truncateSync(join(folder, "model.gguf"), 60_000),
      "model.gguf",
      /truncated/,
      /download the file again/,
    ],
    [
      "a file that only claims to be GGUF",
      "qwen2-gguf",
      () => writeFileSync(join(folder, "model.gguf"), "<html>not found</html>".repeat(100)),
      "model.gguf",
      /cannot be read as GGUF/,
      /download it again/,
    ],
    [
      "a tokenizer of GGUF whose cut is unknown",
      "qwen2-gguf",
      patch("model.gguf", (bytes) => {
        bytes.write("qwerz", bytes.indexOf("qwen2", bytes.indexOf("tokenizer.ggml.pre")));
      }),
      "model.gguf",
      /unknown way of cutting texts/,
      /model\.tokenizer/,
    ],
  ];

  for (const [what, name, damage, file, message, remedy] of cases) {
    it(`${what} is an error that names the file and what to do`, async () => {
      cpSync(fixture(name), folder, { recursive: true });
      damage();
      const gguf = ["model.gguf", "model-00001-of-00003.gguf"].find((path) => existsSync(join(folder, path)));
      const error = await openFixture(folder, gguf).then(
        async (policy) => {
          await policy.close();
          return undefined;
        },
        (thrown: unknown) => thrown,
      );
      expect(error).to.be.instanceOf(ProximalError);
      const { message: text, details } = error as ProximalError;
      expect(text).to.match(message);
      expect(details.file).to.equal(join(folder, file));
      expect((error as ProximalError).describe()).to.match(remedy);
    });
  }

  it("that is not there at all is an error that says what a checkpoint may be", async () => {
    for (const path of [join(folder, "nothing"), join(folder, "nothing.gguf")]) {
      const error = await openFixture(path).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).to.be.instanceOf(ProximalError);
      expect((error as ProximalError).describe())
        .to.match(/there is no model/)
        .and.match(/\.gguf file/)
        .and.match(/proximal download/);
      expect((error as ProximalError).details.file).to.equal(path);
    }
  });
});
