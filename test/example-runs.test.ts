import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { resolveConfig, train } from "@proximal/core";
import { expect } from "chai";

const root = fileURLToPath(new URL("../..", import.meta.url));
const files = ["examples/algorithms", "examples/tools", "examples/text"].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".yaml") && name !== "warm-start.yaml")
    .map((name) => join(root, folder, name)),
);

/** Overrides that make a run of any example a matter of a second or two: a network of one layer, few and short responses. */
function small(file: string): string[] {
  const { model, sampling, sampler, teacher } = resolveConfig(file, { cwd: root });
  const tiny = (section: string, given: Record<string, unknown>): string => {
    const tokenizer = String(given.tokenizer ?? given.checkpoint);
    const vocabulary = JSON.parse(readFileSync(join(tokenizer, "tokenizer.json"), "utf8")) as { model: { vocab: object } };
    const architecture = {
      vocab_size: Object.keys(vocabulary.model.vocab).length,
      hidden_size: 16,
      intermediate_size: 32,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      max_position_embeddings: 512,
    };
    return `${section}=${JSON.stringify({ tokenizer, architecture })}`;
  };
  const options = sampler!.options;
  return [
    tiny("model", model),
    ...(teacher === undefined ? [] : [tiny("teacher", teacher)]),
    `sampling.maxTokens=${Math.min(sampling.maxTokens, 24)}`,
    ...(typeof options.promptsPerStep === "number" ? [`sampler.promptsPerStep=${Math.min(options.promptsPerStep, 2)}`] : []),
    "trainer.steps=2",
    "evaluation.limit=2",
    "evaluation.every=0",
    "evaluation.greedy=false", // one kind of decoding graph less
  ];
}

describe("the example", function () {
  this.timeout(120000);
  const folder = mkdtempSync(join(tmpdir(), "proximal-examples-"));
  after(() => rmSync(folder, { recursive: true }));

  it("of every method is there", () => {
    const methods = readdirSync(join(root, "plugins"));
    const examples = files.filter((file) => dirname(file).endsWith("algorithms")).map((file) => basename(file, ".yaml"));
    expect(methods.filter((method) => !examples.includes(method))).to.deep.equal([]);
  });

  for (const file of files) {
    it(`${relative(root, file)} trains on the real engine`, async () => {
      const output = join(folder, relative(root, file).replaceAll("/", "-"));
      const summary = await train(resolveConfig(file, { cwd: root, set: small(file) }), { output });
      expect(summary).to.include({ steps: 2, skippedUpdates: 0 });
      const records = readFileSync(join(output, "metrics.jsonl"), "utf8").trim().split("\n");
      const broken = records
        .map((line) => JSON.parse(line) as Record<string, number | null>)
        .filter((r) => r.updates !== 0 && !Number.isFinite(r.loss));
      expect(broken).to.deep.equal([]);
    });
  }
});
