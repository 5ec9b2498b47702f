import { type GenerateRequest, instantiate, type Options, type Prompt } from "@proximal/core";
import { sampleContext, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { TrainingFreeSampler } from "../src/index.js";
import { blockOf, editLibrary, hasContrast, type Operation, parseOperations } from "../src/library.js";
import type { LibraryState } from "../src/sampler.js";

testVectors(new URL("../../vectors/training-free-grpo.json", import.meta.url), conformance);

describe("the library", () => {
  const E = ["a", "b", "c"].map((content, i) => ({ id: `G${i}`, content }));
  const cases: [title: string, plan: Operation[], contents: string[]][] = [
    ["stays without a plan", [], ["a", "b", "c"]],
    ["takes a missing operation for ADD", [{ content: "d" }], ["a", "b", "c", "d"]],
    [
      "takes null for a missing field",
      [{ operation: null, id: null, content: "d" }, { operation: "UPDATE", id: null, content: "e" }, { content: null }],
      ["a", "b", "c", "d", "e"],
    ],
    ["deletes without looking at the content", [{ operation: "DELETE", id: "G1" }], ["a", "c"]],
    ["ignores deleting what it lacks", [{ operation: "DELETE", id: "G9" }, { operation: "DELETE" }], ["a", "b", "c"]],
    [
      "ignores an update without content",
      [
        { operation: "UPDATE", id: "G1", content: "" },
        { operation: "UPDATE", id: "G1" },
      ],
      ["a", "b", "c"],
    ],
    [
      "appends an update of an unknown or missing id",
      [
        { operation: "UPDATE", id: "G9", content: "x" },
        { operation: "UPDATE", content: "y" },
      ],
      ["a", "b", "c", "x", "y"],
    ],
    ["ignores other operations", [{ operation: "MERGE", id: "G0", content: "x" }], ["a", "b", "c"]],
    ["appends an ADD whatever its id", [{ operation: "ADD", id: "G0", content: "x" }], ["a", "b", "c", "x"]],
    [
      "cannot address what the plan added",
      [{ content: "d" }, { operation: "DELETE", id: "G3" }, { operation: "UPDATE", id: "G3", content: "e" }],
      ["a", "b", "c", "d", "e"],
    ],
    [
      "keeps ids until the plan's end",
      [
        { operation: "DELETE", id: "G0" },
        { operation: "UPDATE", id: "G1", content: "x" },
      ],
      ["x", "c"],
    ],
  ];
  for (const [title, plan, contents] of cases) {
    it(title, () => expect(editLibrary(E, plan)).to.deep.equal(contents.map((content, i) => ({ id: `G${i}`, content }))));
  }

  it("reads plans out of a model's answer, and nothing out of anything else", () => {
    const plan = [{ operation: "ADD", content: "see [1]" }];
    expect(parseOperations(`Here: ${JSON.stringify(plan)} done [x]`)).to.deep.equal(plan);
    expect(parseOperations('```json\n[{"operation":"DELETE","id":"G1","content":3}]\n```')).to.deep.equal([
      { operation: "DELETE", id: "G1" },
    ]);
    for (const text of ["", "[1, 2]", "[", "no list", '{"a":1}']) expect(parseOperations(text)).to.deep.equal([]);
    expect(blockOf("x <experiences> a\nb </experiences>", "experiences")).to.equal("a\nb");
    expect(blockOf("x", "experiences")).to.equal(null);
  });

  it("learns from groups with contrast, or from all without ground truth", () => {
    expect(
      [
        [0, 1],
        [1, 1],
        [0, 0],
        [0.5, 0.5],
      ].map((rewards) => hasContrast(rewards, true)),
    ).to.deep.equal([true, false, false, true]);
    expect(hasContrast([0, 0], false)).to.equal(true);
  });
});

describe("Training-Free GRPO", () => {
  const RULE = "be even";
  const prompt = (id: string): Prompt => ({ id, text: id, tokens: Int32Array.of(1), golds: ["2"], fields: {} });
  /** Even = right. Succeeds for sure once the rule is shown, else every other time; edits the library as it is asked to. */
  const respond =
    (constant: boolean, broken = false) =>
    ({ prompt: { text }, key }: GenerateRequest) => {
      if (text.startsWith("Summarise")) return "it guessed";
      if (text.startsWith("Compare")) return `<experiences>${RULE}</experiences>`;
      if (text.includes("New rules")) return `[{"operation":"ADD","content":"${RULE}"}]`;
      if (text.includes("Proposed operations")) return broken ? "sorry" : `[{"operation":"ADD","content":"${RULE}"}]`;
      if (text.includes(RULE)) return "2";
      return constant || key!.endsWith("0") ? "1" : "2";
    };
  const step = async (state: LibraryState, respondTo: (request: GenerateRequest) => string, options: Options = {}) => {
    const sampler = instantiate(TrainingFreeSampler, { promptsPerStep: 2, groupSize: 3, ...options });
    const context = sampleContext({ state, prompts: [prompt("p"), prompt("q")], respond: respondTo, maxTokens: 400 });
    return { ...(await sampler.collect(context)), requests: context.requests, sampler };
  };
  const empty: LibraryState = { version: 1, drawn: 0, experiences: [] };
  const success = (batch: { f64(name: string): Float64Array }) => batch.f64("rewards").reduce((a, b) => a + b, 0) / 6;

  it("succeeds more often once a group with contrast has put its rule into the library", async () => {
    const first = await step(empty, respond(false));
    expect(first.state.experiences).to.deep.equal([{ id: "G0", content: RULE }]);
    expect(first.metrics).to.include({ usefulGroups: 2, proposals: 2, operations: 1, experiences: 1 });
    const second = await step(first.state, respond(false));
    expect([success(first.batch), success(second.batch)]).to.deep.equal([2 / 3, 1]);
    expect(second.batch.trajectories[0]!.prompt.text).to.contain(`[G0]. ${RULE}`);
    expect(second.groups.map(({ prompt: { text } }) => text).sort()).to.deep.equal(["p", "q"]);
    expect(second.state.experiences).to.deep.equal(first.state.experiences);
  });

  it("changes nothing while all groups are constant, and asks nothing", async () => {
    const { state, requests } = await step(empty, respond(true));
    expect(state.experiences).to.deep.equal([]);
    expect(requests).to.have.length(6);
  });

  it("uses constant groups without ground truth and then shows neither answers nor rewards", async () => {
    const { state, requests } = await step(empty, respond(true), { givenGroundTruth: false });
    expect(state.experiences).to.have.length(1);
    const asked = requests.map(({ prompt: { text } }) => text).filter((text) => /Summarise|Compare/.test(text));
    expect(asked.some((text) => /Answer:|Verdict|reward \d/.test(text))).to.equal(false);
  });

  it("keeps the library when no plan can be read, after as many attempts as allowed", async () => {
    const { state, requests } = await step(empty, respond(false, true), { maxRetries: 2 });
    expect(state.experiences).to.deep.equal([]);
    expect(requests.filter(({ key }) => key!.startsWith("batch/"))).to.have.length(2);
  });

  it("samples at its temperature and edits greedily", async () => {
    const { requests } = await step(empty, respond(false));
    expect(requests.slice(0, 6).every((request) => request.temperature === 0.7 && request.greedy === undefined)).to.equal(true);
    expect(requests.slice(6).every((request) => request.greedy === true)).to.equal(true);
  });

  it("shows the library at evaluation", async () => {
    const { sampler, state } = await step(empty, respond(false));
    const prompts = { derive: (base: Prompt, text: string): Prompt => ({ ...base, text }) };
    expect(sampler.evaluationPrompt(prompt("x"), { state, prompts }).text).to.match(/\[G0\]\. be even\n\nx$/);
    expect(sampler.evaluationPrompt(prompt("x"), { state: empty, prompts }).text).to.equal("x");
  });
});
