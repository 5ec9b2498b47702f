import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError, instantiate, type Prompt, ProximalError, runReward } from "@proximal/core";
import { sandbox } from "@proximal/sandbox";
import { expect } from "chai";
import {
  type CodeTest,
  CodeTestsReward,
  Collection,
  calculate,
  readDocuments,
  sameValue,
  shown,
  type ToolState,
  ToolsEnvironment,
} from "../src/index.js";

after(() => sandbox().close());

describe("the calculator", () => {
  const right: [expression: string, result: string][] = [
    ["1 + 2 * 3", "7"],
    ["(1 + 2) * 3", "9"],
    ["2 ^ 3 ^ 2", "512"],
    ["-(2 ^ 2)", "-4"],
    ["0.1 + 0.2", "0.3"],
    ["1,204 + 1", "1205"],
    ["7 % 4 / 2", "1.5"],
    ["sqrt(2) * sqrt(2)", "2"],
    ["max(1, min(5, 3))", "3"],
    ["2 * pi", "6.28318530718"],
    ["9007199254740991", "9007199254740991"],
  ];
  for (const [expression, result] of right) it(`${expression} = ${result}`, () => expect(shown(calculate(expression))).to.equal(result));

  const wrong = [
    ...["", "1 / 0", "x", "1 +", "'a' + 'b'", "[1]", "a = 1", "1; 2", "this", "process.exit()", "constructor", "__proto__"],
    ...["toString()", "sqrt.constructor('x')", "(1).constructor", "1 < 2", "1 ? 2 : 3", "`x`", "max`1`", "1".repeat(201), "2 ^ 9999"],
  ];
  for (const expression of wrong) {
    it(`refuses ${JSON.stringify(expression.slice(0, 30))}`, () => expect(() => calculate(expression)).to.throw(Error));
  }
});

describe("a collection", () => {
  const documents = [
    { id: "d1", title: "Velmora", text: "Velmora is a harbour town. Its mayor is Oda Trellin." },
    { id: "d2", title: "Oda Trellin", text: "Oda Trellin was born in Quist." },
    { id: "d3", title: "Quist", text: "Quist lies in the hills north of Velmora." },
  ];
  const collection = new Collection(documents);

  const searches: [query: string, count: number, ids: string[]][] = [
    ["where was Oda Trellin born", 1, ["d2"]],
    ["Velmora", 5, ["d1", "d3"]],
    ["oda trelin", 1, ["d2"]],
    ["harbour", 5, ["d1"]],
    ["xylophone", 5, []],
    ["", 5, []],
  ];
  for (const [query, count, ids] of searches) {
    it(`finds ${ids.join(", ") || "nothing"} for "${query}"`, () =>
      expect(collection.search(query, count).map(({ id }) => id)).to.deep.equal(ids));
  }

  describe("in a file", () => {
    const folder = mkdtempSync(join(tmpdir(), "proximal-"));
    after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "docs.jsonl");
    const read = (text: string) => {
      writeFileSync(file, text);
      return readDocuments(file);
    };

    it("is one document a line, the id its title when there is none", () => {
      expect(read('{"id":"a","text":"x"}\n\n{"id":"b","title":"B","text":"y","more":1}\n')).to.deep.equal([
        { id: "a", title: "a", text: "x" },
        { id: "b", title: "B", text: "y" },
      ]);
    });
    for (const [what, text] of [
      ["a line that is no JSON", '{"id":"a","text":"x"}\nnope\n'],
      ["a document without text", '{"id":"a"}\n'],
      ["two equal ids", '{"id":"a","text":"x"}\n{"id":"a","text":"y"}\n'],
    ] as const) {
      it(`refuses ${what}`, () => expect(() => read(text)).to.throw(DataError));
    }
  });
});

describe("the environment of tools", function () {
  this.timeout(30000);
  const folder = mkdtempSync(join(tmpdir(), "proximal-"));
  const collection = join(folder, "docs.jsonl");
  before(() => writeFileSync(collection, '{"id":"q7","title":"Quist","text":"Quist is a town of 400 people."}\n'));
  after(() => rmSync(folder, { recursive: true }));

  const prompt: Prompt = { id: "p", text: "", tokens: new Int32Array(), golds: [], fields: {} };
  const all = () => instantiate(ToolsEnvironment, { calculator: {}, search: { collection }, access: { collection }, code: {} });
  const play = async (environment: ToolsEnvironment, ...turns: string[]) => {
    const observations: (string | undefined)[] = [];
    let state: ToolState = environment.reset();
    for (const [turn, text] of turns.entries()) {
      const end = environment.endOfTurn.some((close) => text.endsWith(close)) ? "text" : "stop";
      const outcome = await environment.step({ prompt, state, turn, text, tokens: new Int32Array(), end });
      state = outcome.state;
      observations.push(outcome.done ? undefined : String(outcome.observation));
    }
    expect(structuredClone(state)).to.deep.equal(state);
    return { observations, columns: environment.columns(state) };
  };

  const table: [name: string, turn: string, observation: string | undefined][] = [
    ["a calculation", "so <calculator>6 * 7</calculator>", "<output>42</output>"],
    ["a calculation that is none", "<calculator>six</calculator>", "<output>Error: six is not known</output>"],
    ["the last call of a turn", "<calculator>1<calculator>2+2</calculator>", "<output>4</output>"],
    ["a search", "<search>quist</search>", "<output>[q7] Quist: Quist is a town of 400 people.</output>"],
    ["a search in vain", "<search>rome</search>", "<output>nothing found</output>"],
    ["an access", "<access> q7 </access>", "<output>Quist is a town of 400 people.</output>"],
    ["an access to nothing", "<access>q8</access>", "<output>there is no document q8</output>"],
    ["code", "<code>[1, 2].map((x) => x * 2)</code>", "<output>[2,4]</output>"],
    ["code that fails", "<code>boom()</code>", "<output>ReferenceError: 'boom' is not defined</output>"],
    ["a close without an open", "x</code>", undefined],
    ["an answer", "it is 42", undefined],
  ];
  for (const [name, turn, observation] of table) {
    it(`${observation === undefined ? "ends the episode at" : "answers"} ${name}`, async () =>
      expect((await play(all(), turn)).observations).to.deep.equal([observation]));
  }

  it("keeps the variables of code from call to call, and counts calls and failures", async () => {
    const { observations, columns } = await play(
      all(),
      "<code>let n = 20</code>",
      "<code>n += 1; n * 2</code>",
      "<calculator>?</calculator>",
      "42",
    );
    expect(observations.slice(0, 2)).to.deep.equal(["<output></output>", "<output>42</output>"]);
    expect(columns).to.deep.equal({ toolCalls: 3, failedCalls: 1 });
  });

  it("contains code without end, and lets the episode go on", async () => {
    const environment = instantiate(ToolsEnvironment, { code: { interrupts: 50, outputLength: 80 } });
    const { observations } = await play(environment, "<code>while (true) {}</code>", "<code>1 + 1</code>");
    expect(observations).to.deep.equal(["<output>InternalError: interrupted</output>", "<output>2</output>"]);
  });

  it("answers calls beyond the allowed ones with an error", async () => {
    const environment = instantiate(ToolsEnvironment, { calculator: {}, maxCalls: 1 });
    const { observations } = await play(environment, "<calculator>1</calculator>", "<calculator>2</calculator>");
    expect(observations).to.deep.equal(["<output>1</output>", "<output>Error: no call is left</output>"]);
  });

  for (const [what, options] of [
    ["no tool", {}],
    ["two tools with one closing tag", { calculator: { close: "]" }, code: { close: "]" } }],
    ["a collection that is not there", { search: { collection: "/nowhere.jsonl" } }],
  ] as const) {
    it(`refuses ${what}`, () => expect(() => instantiate(ToolsEnvironment, options)).to.throw(ProximalError));
  }
});

describe("the reward of code that passes tests", function () {
  this.timeout(60000);
  const specs = { tests: { at: "row", dtype: "json" } } as const;
  const add: CodeTest[] = [
    { call: "add(1, 2)", expected: 3 },
    { call: "add(-1, 1)", expected: 0 },
  ];
  const fenced = (code: string) => `Here it is.\n\`\`\`js\n${code}\n\`\`\``;
  const score = async (completions: string[], options: object = {}, tests: unknown = add) =>
    (
      await runReward(
        CodeTestsReward,
        { seconds: 2, interrupts: 200, ...options },
        { completions, tests: completions.map(() => tests) },
        { specs },
      )
    ).rewards;

  const table: [name: string, completion: string, all: number, share: number][] = [
    ["a right program", fenced("const add = (a, b) => a + b;"), 1, 1],
    ["a program that is right sometimes", fenced("function add(a, b) { return a > 0 ? a + b : 7 }"), 0, 0.5],
    ["the last of several programs", fenced("const add = 1") + fenced("const add = (a, b) => b + a"), 1, 1],
    ["no program", "const add = (a, b) => a + b;", 0, 0],
    ["a program with a mistake", fenced("const add = ("), 0, 0],
    ["a program that throws after it is right", fenced("var add = (a, b) => a + b; throw 1"), 0, 0],
    ["an endless loop", fenced("while (true) {}"), 0, 0],
    ["an endless call", fenced("const add = () => { while (true) {} }"), 0, 0],
    ["a memory bomb", fenced("const a = []; while (true) a.push(new Array(1e4).fill(a))"), 0, 0],
    ["a flood of output", fenced("const add = (a, b) => a + b; while (true) print('x'.repeat(100))"), 0, 0],
    ["a value that claims to be one number", fenced("const add = () => ({ valueOf: () => 3, toJSON: () => 3 })"), 0, 0.5],
    ["spoilt prototypes", fenced("Object.prototype.toJSON = () => 3; Array.prototype.every = () => true; const add = () => 5"), 0, 0],
    ["a program that reaches for the host", fenced("const add = () => process.exit(0)"), 0, 0],
    ["a promise of the right value", fenced("const add = async (a, b) => a + b"), 1, 1],
  ];
  for (const [name, completion, all, share] of table) {
    it(`is ${all} for ${name}, as a share ${share}`, async () => {
      expect(await score([completion])).to.deep.equal([all]);
      expect(await score([completion], { score: "share" })).to.deep.equal([share]);
    });
  }

  it("is unverifiable without tests, and refuses tests that are none", async () => {
    expect(await score([fenced("1")], {}, null)).to.deep.equal([null]);
    expect(await score([fenced("1")], {}, [])).to.deep.equal([null]);
    const refused = await score([fenced("1")], {}, [{ code: "x" }]).catch((error: unknown) => error);
    expect(refused).instanceOf(DataError);
  });

  const values: [a: unknown, b: unknown, same: boolean][] = [
    [0.1 + 0.2, 0.3, true],
    [1, 1.1, false],
    [[1, { a: "x" }], [1, { a: "x" }], true],
    [[1], [1, 2], false],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [null, 0, false],
    ["1", 1, false],
    [[], {}, false],
  ];
  for (const [a, b, same] of values) {
    it(`takes ${JSON.stringify(a)} ${same ? "for" : "not for"} ${JSON.stringify(b)}`, () => expect(sameValue(a, b, 1e-9)).to.equal(same));
  }
});
