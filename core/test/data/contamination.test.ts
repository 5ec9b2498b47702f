import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { CharTokenizer, type DataOptions, describeContamination, findContamination, loadDataSets, ProximalError } from "../../src/index.js";
import { temporaryFolder } from "../doubles/runs.js";

const questions = (name: string, texts: readonly string[]) => texts.map((text, i) => ({ text, place: `${name} line ${i + 1}` }));
const word = (i: number) => `w${i}`;
const words = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => word(from + i)).join(" ");

describe("contamination", () => {
  const cases: [string, string[], string[], [exact: number, overlapping: number]][] = [
    ["equal texts count", ["How many?"], ["How many?", "Other"], [1, 0]],
    ["case, spacing, punctuation and compatible characters do not", ["How  MANY, are there"], ["how many are there?!", "x"], [1, 0]],
    ["operators do", ["94+52="], ["94-52=", "94*52="], [0, 0]],
    ["numbers do", ["what is 1 + 1"], ["what is 1 + 2"], [0, 0]],
    ["short texts count only when they are equal", ["a b c d e f g"], ["a b c d e f g h"], [0, 0]],
    ["70 % of the 8-word runs are enough", [words(0, 17)], [`${words(0, 14)} other`], [0, 1]],
    ["60 % are not", [words(0, 17)], [`${words(0, 13)} other`], [0, 0]],
    ["runs may come from several texts", [words(0, 16)], [words(0, 12), words(5, 16)], [0, 1]],
    ["a run that stands again and again counts once", [words(0, 27)], Array.from({ length: 20 }, () => words(0, 9)), [0, 0]],
    ["an equal text counts as equal, also behind one that overlaps", [words(0, 20)], [`${words(0, 20)} more`, words(0, 20)], [1, 0]],
    ["every held-out text counts, also twice the same", ["a", "a", "b"], ["a"], [2, 0]],
  ];
  for (const [promise, held, train, [exact, overlapping]] of cases) {
    it(promise, () => {
      const found = findContamination(questions("held", held), questions("train", train));
      expect([found.checked, found.exact, found.overlapping]).to.deep.equal([held.length, exact, overlapping]);
    });
  }

  it("is told with counts and both places", () => {
    const found = findContamination(questions("b", ["x", "a", words(0, 9)]), questions("t", [`${words(0, 10)}`, "A!"]));
    expect(describeContamination(found)).to.equal(
      "2 of 3 held-out prompts stand in the training data (1 word for word, 1 by most of their 8-word runs); e.g. b line 2 = t line 2; b line 3 = t line 1",
    );
    expect(describeContamination(findContamination(questions("b", ["x"]), []))).to.equal(null);
  });
});

describe("contamination of a run's data", () => {
  let folder: string;
  before(() => {
    folder = temporaryFolder();
  });
  after(() => rmSync(folder, { recursive: true }));
  const facts = { tokenizer: new CharTokenizer(), contextLength: 90, maxTokens: 8, answerRequired: true };
  const load = (train: string[], held: string[], over: Partial<DataOptions> = {}) => {
    const write = (name: string, prompts: string[]) => {
      const file = join(folder, name);
      writeFileSync(file, prompts.map((prompt) => JSON.stringify({ prompt, answer: "1" })).join("\n"));
      return file;
    };
    return loadDataSets({ train: write("t.jsonl", train), eval: write("e.jsonl", held), ...over }, facts, 1);
  };

  it("is looked for in the questions, not in the template around them", async () => {
    const template = "please answer the following question with one number only {prompt}";
    const { contamination } = await load(["1+1", "1+2"], ["1+3", "1+2"], { template });
    expect(contamination).to.deep.include({ checked: 2, exact: 1, overlapping: 0 });
    expect(contamination!.examples).to.deep.equal([{ held: "e.jsonl line 2", train: "t.jsonl line 2" }]);
  });

  it("is looked for in the last message of a conversation, not in the examples before it", async () => {
    const folderOf = (name: string, questions: string[]) => {
      const file = join(folder, name);
      const shown = [
        { role: "user", content: "what is one and one and one and one and one" },
        { role: "assistant", content: "5" },
      ];
      const record = (content: string) => ({ prompt: [...shown, { role: "user", content }], answer: "1" });
      writeFileSync(file, questions.map((question) => JSON.stringify(record(question))).join("\n"));
      return file;
    };
    const chatty = { ...facts, tokenizer: new CharTokenizer(undefined, { chat: true }), contextLength: 200 };
    const files = { train: folderOf("mt.jsonl", ["1+1", "1+2"]), eval: folderOf("me.jsonl", ["1+3", "1+2"]) };
    expect((await loadDataSets(files, chatty, 1)).contamination).to.deep.include({ checked: 2, exact: 1, overlapping: 0 });
  });

  it("is looked for among held-out records of the training file too", async () => {
    const prompts = Array.from({ length: 20 }, (_, i) => `${i >> 1}`);
    const { contamination, held } = await load(prompts, [], { eval: undefined, evalFraction: 0.25 });
    expect(contamination!.checked).to.equal(held!.size);
    expect(contamination!.exact).to.be.above(0);
  });

  it("is not looked for when it is switched off or nothing is held out", async () => {
    expect((await load(["1"], ["1"], { contamination: "off" })).contamination).to.equal(null);
    expect((await load(["1"], [], { eval: undefined })).contamination).to.equal(null);
  });

  it("refuses the data when the config says so", async () => {
    const error: unknown = await load(["1", "2"], ["2"], { contamination: "error" }).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(ProximalError);
    expect((error as ProximalError).describe()).to.match(
      /1 of 1 held-out prompts stand in the training data[\s\S]*e\.jsonl line 1 = t\.jsonl line 2/,
    );
    expect((await load(["1", "2"], ["3"], { contamination: "error" })).contamination!.exact).to.equal(0);
  });
});
