import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { CharTokenizer, DataError, type DataOptions, type DataSet, type DataSets, loadDataSet, loadDataSets } from "../../src/index.js";

describe("data sets", () => {
  let folder: string;
  const write = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const lines = (...records: unknown[]): string => `${records.map((record) => JSON.stringify(record)).join("\n")}\n`;
  const facts = (over: Partial<{ contextLength: number; maxTokens: number; chat: boolean; answerRequired: boolean }> = {}) => ({
    tokenizer: new CharTokenizer(undefined, { chat: over.chat ?? false }),
    contextLength: over.contextLength ?? 32,
    maxTokens: over.maxTokens ?? 8,
    answerRequired: over.answerRequired ?? true,
  });
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "proximal-data-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const readings: [string, unknown, Partial<DataOptions>, string, string[]][] = [
    ["prompt and answer", { prompt: "1+1=", answer: "2" }, {}, "1+1=", ["2"]],
    ["numbers as answers", { prompt: "1+1=", answer: 2 }, {}, "1+1=", ["2"]],
    ["several accepted answers", { prompt: "1+1=", answer: ["2", "two"] }, {}, "1+1=", ["2", "two"]],
    ["question and answer after ####", { question: "1+1?", answer: "one and one\n#### 2" }, {}, "1+1?", ["2"]],
    ["fields named by the config", { q: "1+1=", a: "2" }, { prompt: "q", answer: "a" }, "1+1=", ["2"]],
    ["a template around the prompt", { prompt: "1+1", answer: "2" }, { template: "say {prompt}=" }, "say 1+1=", ["2"]],
    ["other fields in the template", { prompt: "1+1", unit: "m", answer: "2" }, { template: "{prompt} in {unit}" }, "1+1 in m", ["2"]],
  ];
  for (const [what, record, options, text, golds] of readings) {
    it(`reads ${what}`, () => {
      const { prompts } = loadDataSet(write("a.jsonl", lines(record)), options, facts());
      expect(prompts.map((prompt) => [prompt.text, prompt.golds])).to.deep.equal([[text, golds]]);
      expect(new CharTokenizer().decode(prompts[0]!.tokens)).to.equal(text);
    });
  }

  it("asks for no answers when no component compares with them", () => {
    const file = write("a.jsonl", lines({ prompt: "1+1=" }));
    expect(loadDataSet(file, {}, facts({ answerRequired: false })).get(0).golds).to.deep.equal([]);
  });

  it("reads a CSV file with a header", () => {
    const { prompts } = loadDataSet(write("a.csv", 'prompt,answer,level\n"1,1",2,a\n3,4,b\n'), {}, facts());
    expect(prompts.map(({ text, golds, fields }) => [text, golds, fields.level])).to.deep.equal([
      ["1,1", ["2"], "a"],
      ["3", ["4"], "b"],
    ]);
  });

  it("reads the same prompts from a .json array as from .jsonl lines", () => {
    const records = [
      { prompt: "1+1=", answer: "2" },
      { prompt: "1+2=", answer: "3", level: 1 },
    ];
    const fromLines = loadDataSet(write("a.jsonl", lines(...records)), {}, facts());
    const fromArray = loadDataSet(write("a.json", JSON.stringify(records)), {}, facts());
    expect(fromArray.prompts).to.deep.equal(fromLines.prompts);
    expect(fromArray.prompts[1]!.fields.level).to.equal(1);
  });

  it("renders system message and prompt with the chat template", () => {
    const file = write("a.jsonl", lines({ prompt: "hi", answer: "x" }));
    const { prompts } = loadDataSet(file, { system: "add" }, facts({ chat: true, contextLength: 64 }));
    expect(new CharTokenizer().decode(prompts[0]!.tokens)).to.equal("system=add user=hi assistant=");
  });

  it("puts the tokenizer's beginning in front of a plain prompt, and leaves it to the chat template otherwise", () => {
    const file = write("a.jsonl", lines({ prompt: "1", answer: "2" }));
    const first = (chat: boolean) => {
      const tokenizer = new CharTokenizer(undefined, { chat, beginning: true });
      return loadDataSet(file, {}, { ...facts(), tokenizer }).get(0).tokens[0];
    };
    expect(first(false)).to.equal(1);
    expect(first(true)).to.not.equal(1);
  });

  it("gives ids that depend on content and place, and are all different", () => {
    const file = write("a.jsonl", lines({ prompt: "1", answer: "2" }, { prompt: "1", answer: "2" }, { prompt: "2", answer: "2" }));
    const ids = () => loadDataSet(file, {}, facts()).prompts.map((prompt) => prompt.id);
    expect(new Set(ids()).size).to.equal(3);
    expect(ids()).to.deep.equal(ids());
  });

  it("derives prompts that are tokenised like the data set and keep identity and answers", () => {
    const set = loadDataSet(write("a.jsonl", lines({ prompt: "1", answer: "2" })), {}, facts({ chat: true }));
    const base = set.get(0);
    const derived = set.derive(base, "1 hint");
    expect([derived.id, derived.golds, derived.text]).to.deep.equal([base.id, ["2"], "1 hint"]);
    expect(new CharTokenizer().decode(derived.tokens)).to.equal("user=1 hint assistant=");
    expect(() => set.derive(base, "1".repeat(99))).to.throw(DataError, "tokens");
  });

  it("keeps the end of an overlong prompt, or leaves the record out, as the config says", () => {
    const file = write("a.jsonl", lines({ prompt: "1".repeat(20) + "2".repeat(10), answer: "1" }, { prompt: "3", answer: "1" }));
    const truncated = loadDataSet(file, { overlong: "truncate" }, facts({ contextLength: 20, maxTokens: 8 }));
    expect(new CharTokenizer().decode(truncated.get(0).tokens)).to.equal("112222222222");
    const dropped = loadDataSet(file, { overlong: "drop" }, facts({ contextLength: 20, maxTokens: 8 }));
    expect([dropped.size, dropped.dropped, dropped.get(0).text]).to.deep.equal([1, 1, "3"]);
  });

  it("holds out the share that the seed chooses, disjoint from the training prompts and in file order", () => {
    const file = write("a.jsonl", lines(...Array.from({ length: 50 }, (_, i) => ({ prompt: `${i}`, answer: `${i}` }))));
    const split = (seed: number) => loadDataSets({ train: file, evalFraction: 0.2 }, facts(), seed);
    const { train, held } = split(1) as Required<DataSets> & { held: DataSet };
    expect([train.size, held.size]).to.deep.equal([40, 10]);
    expect(new Set([...train.prompts, ...held.prompts].map((prompt) => prompt.id)).size).to.equal(50);
    const order = held.prompts.map((prompt) => Number(prompt.text));
    expect(order).to.deep.equal([...order].sort((a, b) => a - b));
    expect(split(1).held!.prompts).to.deep.equal(held.prompts);
    expect(split(2).held!.prompts).to.not.deep.equal(held.prompts);
  });

  it("takes the held-out prompts from their own file when one is named", () => {
    const files = {
      train: write("a.jsonl", lines({ prompt: "1", answer: "1" })),
      eval: write("b.jsonl", lines({ prompt: "2", answer: "2" })),
    };
    const { train, held } = loadDataSets(files, facts(), 1);
    expect([train.get(0).text, held!.get(0).text]).to.deep.equal(["1", "2"]);
  });

  const good = { prompt: "1+1=", answer: "2" };
  const mistakes: [string, string, string, Partial<DataOptions>, RegExp][] = [
    ["an empty data set", "a.jsonl", "\n\n", {}, /a\.jsonl: the data set is empty/],
    ["an empty array", "a.json", "[]", {}, /a\.json: the data set is empty/],
    ["a record without an answer", "a.jsonl", lines(good, { prompt: "1" }), {}, /a\.jsonl at line 2: the record has no answer/],
    ["an empty answer", "a.jsonl", lines(good, { prompt: "1", answer: " " }), {}, /line 2: the record has no answer/],
    [
      "a record without a prompt",
      "a.jsonl",
      lines({ text: "1", answer: "2" }),
      {},
      /line 1: the record has no prompt[\s\S]*fields text, answer/,
    ],
    ["a field that is not there", "a.jsonl", lines(good), { answer: "gold" }, /no answer in the field "gold"/],
    ["a malformed line", "a.jsonl", `${lines(good)}\n{"prompt": \n`, {}, /a\.jsonl at line 3: malformed JSON/],
    ["a line that is no record", "a.jsonl", "7\n", {}, /line 1: a record is a JSON object/],
    ["a .json file that is no array", "a.json", "{}", {}, /array of records/],
    ["an unknown suffix", "a.parquet", "", {}, /\.jsonl/],
    [
      "an overlong prompt",
      "a.jsonl",
      lines(good, { prompt: "1".repeat(99), answer: "1" }),
      {},
      /line 2: the prompt has 99 tokens[\s\S]*24/,
    ],
    ["only overlong prompts", "a.jsonl", lines({ prompt: "1".repeat(99), answer: "1" }), { overlong: "drop" }, /every prompt is longer/],
    ["a template with an unknown field", "a.jsonl", lines(good), { template: "{prompt} {hint}" }, /inserts "hint"/],
    ["a system message without chat template", "a.jsonl", lines(good), { system: "add" }, /needs a model with a chat template/],
    ["malformed CSV", "a.csv", 'prompt,answer\n"1,2\n', {}, /a\.csv at line \d: malformed CSV/],
    ["a share that holds everything out", "a.jsonl", lines(good), { evalFraction: 0.5 }, /leaves none/],
  ];
  for (const [what, name, text, options, message] of mistakes) {
    it(`refuses ${what} and says where it stands`, () => {
      const train = write(name, text);
      const load = () => loadDataSets({ train, ...options }, facts(), 1);
      let thrown: unknown;
      try {
        load();
      } catch (error) {
        thrown = error;
      }
      expect(thrown).to.be.instanceOf(DataError);
      expect((thrown as DataError).describe()).to.match(message);
    });
  }

  it("refuses a file that does not exist", () => {
    expect(() => loadDataSets({ train: join(folder, "none.jsonl") }, facts(), 1)).to.throw(DataError, "no such data set");
  });
});
