import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CharTokenizer, loadDataSets, resolveConfig } from "@proximal/core";
import { expect } from "chai";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("the examples", () => {
  for (const name of readdirSync(join(root, "examples")).filter((file) => file.endsWith(".yaml"))) {
    it(`${name} is a config of the installed packages`, () => {
      const { config } = resolveConfig(`examples/${name}`, { cwd: root });
      expect(config).to.include.keys("data", "sampling", "optimizer");
    });
  }

  it("word problems: every answer is that of the numbers in its question, and no held-out question is trained on word for word", async () => {
    const folder = join(root, "examples/word-problems/data");
    const alphabet = [...new Set(["train", "eval"].flatMap((name) => [...readFileSync(join(folder, `${name}.jsonl`), "utf8")]))].join("");
    const facts = { tokenizer: new CharTokenizer(alphabet, { chat: true }), contextLength: 2000, maxTokens: 16, answerRequired: true };
    const options = { train: join(folder, "train.jsonl"), eval: join(folder, "eval.jsonl"), prompt: "messages" };
    const { train, held, contamination } = await loadDataSets(options, facts, 1);
    expect([train.size, held!.size, contamination!.exact]).to.deep.equal([525, 150, 0]);
    for (const { text, golds, fields } of [...train.prompts, ...held!.prompts]) {
      const [a, b] = text.match(/\d+/g)!.map(Number);
      expect(golds).to.deep.equal([String(fields.kind === "add" ? a! + b! : a! - b!)]);
    }
  });
});
