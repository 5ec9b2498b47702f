import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import {
  CharTokenizer,
  DataError,
  type DataOptions,
  type DataSet,
  type DataSets,
  loadDataSet,
  loadDataSets,
  ProximalError,
} from "../../src/index.js";

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
    ["fields inside fields", { task: { q: "1+1=" }, gold: [{ value: "2" }] }, { prompt: "task.q", answer: "gold[0].value" }, "1+1=", ["2"]],
    ["a field with a dot in its name before a path", { "a.b": "1+1=", a: { b: "3" }, answer: "2" }, { prompt: "a.b" }, "1+1=", ["2"]],
    [
      "fields inside fields in the template",
      { prompt: "1+1", in: { unit: "m" }, answer: "2" },
      { template: "{prompt} {in.unit}" },
      "1+1 m",
      ["2"],
    ],
    [
      "the answer that a pattern finds last",
      { prompt: "1+1=", answer: "first (1), then (2)" },
      { answerPattern: "\\((\\d)\\)" },
      "1+1=",
      ["2"],
    ],
    ["the whole match of a pattern without group", { prompt: "1+1=", answer: "it is 2." }, { answerPattern: "\\d+" }, "1+1=", ["2"]],
    ["other fields in the template", { prompt: "1+1", unit: "m", answer: "2" }, { template: "{prompt} in {unit}" }, "1+1 in m", ["2"]],
  ];
  for (const [what, record, options, text, golds] of readings) {
    it(`reads ${what}`, async () => {
      const { prompts } = await loadDataSet(write("a.jsonl", lines(record)), options, facts());
      expect(prompts.map((prompt) => [prompt.text, prompt.golds])).to.deep.equal([[text, golds]]);
      expect(new CharTokenizer().decode(prompts[0]!.tokens)).to.equal(text);
    });
  }

  it("asks for no answers when no component compares with them", async () => {
    const file = write("a.jsonl", lines({ prompt: "1+1=" }));
    expect((await loadDataSet(file, {}, facts({ answerRequired: false }))).get(0).golds).to.deep.equal([]);
  });

  it("reads a CSV file with a header", async () => {
    const { prompts } = await loadDataSet(write("a.csv", 'prompt,answer,level\n"1,1",2,a\n3,4,b\n'), {}, facts());
    expect(prompts.map(({ text, golds, fields }) => [text, golds, fields.level])).to.deep.equal([
      ["1,1", ["2"], "a"],
      ["3", ["4"], "b"],
    ]);
  });

  it("reads the same prompts from a .json array as from .jsonl lines", async () => {
    const records = [
      { prompt: "1+1=", answer: "2" },
      { prompt: "1+2=", answer: "3", level: 1 },
    ];
    const fromLines = await loadDataSet(write("a.jsonl", lines(...records)), {}, facts());
    const fromArray = await loadDataSet(write("a.json", JSON.stringify(records)), {}, facts());
    expect(fromArray.prompts).to.deep.equal(fromLines.prompts);
    expect(fromArray.prompts[1]!.fields.level).to.equal(1);
  });

  it("renders system message and prompt with the chat template", async () => {
    const file = write("a.jsonl", lines({ prompt: "hi", answer: "x" }));
    const { prompts } = await loadDataSet(file, { system: "add" }, facts({ chat: true, contextLength: 64 }));
    expect(new CharTokenizer().decode(prompts[0]!.tokens)).to.equal("system=add user=hi assistant=");
  });

  const user = (content: string) => ({ role: "user", content });
  const conversations: [string, object[], string | undefined, string][] = [
    ["one question", [user("hi")], undefined, "user=hi assistant="],
    [
      "a conversation",
      [user("hi"), { role: "assistant", content: "hm" }, user("so")],
      undefined,
      "user=hi assistant=hm user=so assistant=",
    ],
    ["the config's system message in front", [user("hi")], "add", "system=add user=hi assistant="],
    [
      "its own system message in place of the config's",
      [{ role: "system", content: "own" }, user("hi")],
      "add",
      "system=own user=hi assistant=",
    ],
  ];
  for (const [what, messages, system, rendered] of conversations) {
    it(`renders a list of messages with the chat template: ${what}`, async () => {
      const file = write("a.jsonl", lines({ prompt: messages, answer: "x" }));
      const set = await loadDataSet(file, { system }, facts({ chat: true, contextLength: 90 }));
      expect(new CharTokenizer().decode(set.get(0).tokens)).to.equal(rendered);
      const derived = set.derive(set.get(0), "ho");
      expect(new CharTokenizer().decode(derived.tokens)).to.equal(rendered.replace(/user=\w+ assistant=$/, "user=ho assistant="));
    });
  }

  it("tells which record's messages the chat template refuses", async () => {
    const file = write("a.jsonl", lines({ prompt: "1", answer: "2" }, { prompt: [user("hi"), user("so")], answer: "x" }));
    const tokenizer = Object.assign(new CharTokenizer(undefined, { chat: true }), {
      chat(messages: readonly object[]) {
        if (messages.length > 1) throw new DataError("roles must alternate");
        return "1";
      },
    });
    const error: unknown = await loadDataSet(file, {}, { ...facts(), tokenizer })
      .then((set) => set.get(1))
      .catch((e: unknown) => e);
    expect((error as DataError).describe()).to.match(/a\.jsonl at line 2: roles must alternate/);
  });

  it("puts the tokenizer's beginning in front of a plain prompt, and leaves it to the chat template otherwise", async () => {
    const file = write("a.jsonl", lines({ prompt: "1", answer: "2" }));
    const first = async (chat: boolean) => {
      const tokenizer = new CharTokenizer(undefined, { chat, beginning: true });
      return (await loadDataSet(file, {}, { ...facts(), tokenizer })).get(0).tokens[0];
    };
    expect(await first(false)).to.equal(1);
    expect(await first(true)).to.not.equal(1);
  });

  it("gives ids that depend on content and place, and are all different", async () => {
    const file = write("a.jsonl", lines({ prompt: "1", answer: "2" }, { prompt: "1", answer: "2" }, { prompt: "2", answer: "2" }));
    const ids = async () => (await loadDataSet(file, {}, facts())).prompts.map((prompt) => prompt.id);
    expect(new Set(await ids()).size).to.equal(3);
    expect(await ids()).to.deep.equal(await ids());
  });

  it("derives prompts that are tokenised like the data set and keep identity and answers", async () => {
    const set = await loadDataSet(write("a.jsonl", lines({ prompt: "1", answer: "2" })), {}, facts({ chat: true }));
    const base = set.get(0);
    const derived = set.derive(base, "1 hint");
    expect([derived.id, derived.golds, derived.text]).to.deep.equal([base.id, ["2"], "1 hint"]);
    expect(new CharTokenizer().decode(derived.tokens)).to.equal("user=1 hint assistant=");
    expect(() => set.derive(base, "1".repeat(99))).to.throw(DataError, "tokens");
  });

  it("keeps the end of an overlong prompt, or leaves the record out, as the config says", async () => {
    const file = write("a.jsonl", lines({ prompt: "1".repeat(20) + "2".repeat(10), answer: "1" }, { prompt: "3", answer: "1" }));
    const truncated = await loadDataSet(file, { overlong: "truncate" }, facts({ contextLength: 20, maxTokens: 8 }));
    expect(new CharTokenizer().decode(truncated.get(0).tokens)).to.equal("112222222222");
    const dropped = await loadDataSet(file, { overlong: "drop" }, facts({ contextLength: 20, maxTokens: 8 }));
    expect([dropped.size, dropped.dropped, dropped.get(0).text]).to.deep.equal([1, 1, "3"]);
  });

  it("holds out the share that the seed chooses, disjoint from the training prompts and in file order", async () => {
    const file = write("a.jsonl", lines(...Array.from({ length: 50 }, (_, i) => ({ prompt: `${i}`, answer: `${i}` }))));
    const split = (seed: number) => loadDataSets({ train: file, evalFraction: 0.2 }, facts(), seed);
    const { train, held } = (await split(1)) as Required<DataSets> & { held: DataSet };
    expect([train.size, held.size]).to.deep.equal([40, 10]);
    expect(new Set([...train.prompts, ...held.prompts].map((prompt) => prompt.id)).size).to.equal(50);
    const order = held.prompts.map((prompt) => Number(prompt.text));
    expect(order).to.deep.equal([...order].sort((a, b) => a - b));
    expect((await split(1)).held!.prompts).to.deep.equal(held.prompts);
    expect((await split(2)).held!.prompts).to.not.deep.equal(held.prompts);
  });

  it("takes the held-out prompts from their own file when one is named", async () => {
    const files = {
      train: write("a.jsonl", lines({ prompt: "1", answer: "1" })),
      eval: write("b.jsonl", lines({ prompt: "2", answer: "2" })),
    };
    const { train, held } = await loadDataSets(files, facts(), 1);
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
    [
      "a field whose name is almost right",
      "a.jsonl",
      lines({ promt: "1", answer: "2" }),
      {},
      /fields promt, answer[\s\S]*did you mean "promt"\?/,
    ],
    [
      "a path that is almost right",
      "a.jsonl",
      lines({ task: { question: "1" }, answer: "2" }),
      { prompt: "task.qestion" },
      /did you mean "task\.question"\?/,
    ],
    [
      "an answer without the pattern",
      "a.jsonl",
      lines(good, { ...good, answer: "none" }),
      { answerPattern: "(\\d)" },
      /line 2: data\.answerPattern finds no answer[\s\S]*given: +"none"/,
    ],
    ["a pattern that is none", "a.jsonl", lines(good), { answerPattern: "(" }, /data\.answerPattern: no regular expression/],
    [
      "a prompt that is neither text nor messages",
      "a.jsonl",
      lines({ prompt: 7, answer: "2" }),
      {},
      /line 1: the field "prompt" is no prompt/,
    ],
    [
      "messages without a chat template",
      "a.jsonl",
      lines({ prompt: [user("1")], answer: "2" }),
      {},
      /line 1: a list of messages needs a model with a chat template/,
    ],
    [
      "a column of a field that no record has",
      "a.jsonl",
      lines({ ...good, level: 1 }),
      { columns: { hardness: "levle" } },
      /data\.columns\.hardness: no record has the field "levle"[\s\S]*did you mean "level"\?/,
    ],
    ["a malformed line", "a.jsonl", `${lines(good)}\n{"prompt": \n`, {}, /a\.jsonl at line 3: malformed JSON/],
    ["a line that is no record", "a.jsonl", "7\n", {}, /line 1: a record is a JSON object/],
    ["a .json file that is no array", "a.json", "{}", {}, /array of records/],
    ["an unknown suffix", "a.txt", "", {}, /\.jsonl/],
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
    it(`refuses ${what} and says where it stands`, async () => {
      const train = write(name, text);
      const thrown: unknown = await loadDataSets({ train, ...options }, facts(), 1).catch((error: unknown) => error);
      expect(thrown).to.be.instanceOf(ProximalError);
      expect((thrown as ProximalError).describe()).to.match(message);
    });
  }

  it("refuses a line in another encoding instead of replacing its letters, and says which", async () => {
    const train = write("latin.jsonl", lines(good));
    appendFileSync(train, Buffer.from('\n{"prompt": "caf\u00e9", "answer": "1"}\n', "latin1"));
    const thrown: unknown = await loadDataSets({ train }, facts(), 1).catch((error: unknown) => error);
    expect((thrown as DataError).describe()).to.match(/line 3: the text is not UTF-8\n {2}given: +{"prompt": "café"/);
  });

  it("refuses a CSV file that is not UTF-8 and names the line, in the first block or behind it", async () => {
    for (const before of [1, 40_000]) {
      const rows = Array.from({ length: before }, (_, i) => `é${i},1`).join("\n");
      const train = write("latin.csv", `prompt,answer\n${rows}\n`);
      appendFileSync(train, Buffer.from("caf\u00e9,1\nx,2\n", "latin1"));
      const thrown: unknown = await loadDataSets({ train }, facts(), 1).catch((error: unknown) => error);
      expect((thrown as DataError).describe()).to.match(new RegExp(`line ${before + 2}: the text is not UTF-8\\n {2}given: +café,1`));
    }
  });

  for (const [what, prompt, message] of [
    ["a conversation that the assistant ends", [user("hi"), { role: "assistant", content: "ho" }], /ends with the assistant's answer/],
    ["a message without a role", [user("hi"), { content: "ho" }], /prompt\[1\] is no message[\s\S]*role: system \| user/],
    ["an empty conversation", [], /the prompt is empty/],
  ] as const) {
    it(`refuses ${what} and says where it stands`, async () => {
      const file = write("a.jsonl", lines({ prompt: [user("1")], answer: "1" }, { prompt, answer: "2" }));
      const thrown: unknown = await loadDataSet(file, {}, facts({ chat: true })).catch((error: unknown) => error);
      expect((thrown as DataError).describe())
        .to.match(/line 2/)
        .and.to.match(message);
    });
  }

  it("refuses a file that does not exist", async () => {
    const thrown: unknown = await loadDataSets({ train: join(folder, "none.jsonl") }, facts(), 1).catch((error: unknown) => error);
    expect(thrown).to.be.instanceOf(DataError);
    expect((thrown as DataError).message).to.equal("there is no such data set");
  });
});
