import { runReward, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { cleanliness, consistency, correctness, EditGate, EtconReward, formatScore, SemanticEtconReward } from "../src/index.js";

testVectors(new URL("../../vectors/etcon.json", import.meta.url), conformance);

testTerms("EditGate", { component: EditGate });

describe("EditGate", () => {
  it("starts at -1, and stops raising a token beyond its bound", () => {
    const start = runTerms({ component: EditGate }, { logp: [[-1, -2]], oldLogp: [[-1, -2]] });
    expect(start.loss).to.equal(-1);
    expect(start.gradLogp).to.deep.equal([[-0.5, -0.5]]);
    const later = runTerms({ component: EditGate }, { logp: [[-1, -3]], oldLogp: [[-2, -2]] });
    expect(later.gradLogp[0]![0]).to.equal(0);
    expect(later.gradLogp[0]![1]).to.be.closeTo(-Math.exp(-1) / 2, 1e-12);
    expect(later.observed["etcon.stopped"]![0]).to.equal(0.5);
  });
});

describe("the format", () => {
  const table: [promise: string, text: string, score: number][] = [
    ["is whole with one box inside one answer", "so <answer>\\boxed{a}</answer>", 1],
    ["loses half with a second answer", "<answer>\\boxed{a}</answer><answer></answer>", 0.5],
    ["loses half with a box outside", "\\boxed{a}<answer>a</answer>", 0.5],
    ["loses half with two boxes", "<answer>\\boxed{a}\\boxed{b}</answer>", 0.5],
    ["loses half with a box that never closes", "<answer>\\boxed{a</answer>", 0.5],
    ["loses a tenth with a double backslash", "<answer>\\\\boxed{a}</answer>", 0.9],
    ["is nothing without either", "a", 0],
    ["never falls below nothing", "\\\\boxed", 0],
  ];
  for (const [promise, text, score] of table) it(promise, () => expect(formatScore(text)).to.be.closeTo(score, 1e-12));
});

describe("correctness", () => {
  const table: [promise: string, boxed: string, gold: string, similarity: number | null, score: number][] = [
    ["ignores case, punctuation and spaces", " The  CITY. ", "the city", null, 1],
    ["gives most for all words of the answer", "city of Berlin", "Berlin", null, 0.75],
    ["takes it back for a new negation", "not Berlin", "Berlin", null, 0],
    ["accepts a negation that the answer has", "not in berlin", "not Berlin", null, 0.75],
    ["rounds the similarity branch to two decimals", "x", "y", 0.95, 0.53],
    ["starts the similarity branch at the threshold", "x", "y", 0.85, 0.4],
    ["skips it below", "x", "y", 0.84, 0],
  ];
  for (const [promise, boxed, gold, similarity, score] of table)
    it(promise, () => expect(correctness(`\\boxed{${boxed}}`, [gold], similarity, 0.85)).to.equal(score));

  it("reads the first box that is not empty", () => expect(correctness("\\boxed{}\\boxed{a}\\boxed{b}", ["a"], null, 0.85)).to.equal(1));
  it("is 0 without a box", () => expect(correctness("a", ["a"], null, 0.85)).to.equal(0));
});

describe("cleanliness", () => {
  const table: [promise: string, text: string, score: number][] = [
    ["is whole for one answer", "x<answer>a</answer>\n ", 1],
    ["falls with text behind it", "<answer>a</answer>b", 0.4],
    ["falls with every further answer", "<answer>a</answer><answer>b</answer><answer>", 0.6],
    ["falls by 0.8 at most", "<answer>".repeat(9), 0.2],
    ["falls with more than 2000 characters", "x".repeat(2001), 0.6],
    ["stays with 2000", "x".repeat(2000), 1],
    ["never falls below nothing", `${"<answer>".repeat(9)}${"x".repeat(2000)}`, 0],
  ];
  for (const [promise, text, score] of table) it(promise, () => expect(cleanliness(text)).to.be.closeTo(score, 1e-12));
});

describe("consistency", () => {
  const section = (inside: string) => `Re-evaluate Knowledge Network: ${inside}\nSynthesize`;
  const far = Array.from({ length: 15 }, (_, i) => `w${i}`).join(" ");
  const table: [promise: string, text: string, old: string | null, score: number][] = [
    ["is whole without an old fact", "", null, 1],
    ["is nothing without the section", "Rome is outdated", "Rome", 0],
    ["is nothing when the section never ends", "re-evaluate knowledge network rome is outdated", "Rome", 0],
    ["is whole when the fact is called outdated", section("that Rome hosts it is\noutdated"), "Rome hosts it", 1],
    ["is nothing when it is affirmed", section("Rome remains"), "Rome", 0],
    ["lets what refutes win", section("Rome is incorrect, not correct"), "Rome", 1],
    ["is half when the fact is not mentioned", section("outdated"), "Rome", 0.5],
    ["sees fifteen words ahead", section(`Rome ${far.slice(0, -4)} outdated`), "Rome", 1],
    ["does not see the sixteenth", section(`Rome ${far} outdated`), "Rome", 0.5],
    ["stops at other signs", section("Rome: outdated"), "Rome", 0.5],
    ["looks at the first occurrence only", section(`Rome ${far} x Rome is outdated`), "Rome", 0.5],
  ];
  for (const [promise, text, old, score] of table) it(promise, () => expect(consistency(text, old)).to.equal(score));
});

describe("EtconReward", () => {
  const completions = ["<answer>\\boxed{Berlin}</answer>", "<answer>\\boxed{Bonn}</answer>", " "];
  const golds = [["Berlin"], ["Berlin"], ["Berlin"]];

  it("reports its four parts", async () => {
    const { rewards, correctness: right, consistency: kept } = await runReward(EtconReward, {}, { completions, golds });
    expect(rewards).to.deep.equal([1, 0.3, 0]);
    expect(right).to.deep.equal([1, 0, 0]);
    expect(kept).to.deep.equal([1, 1, 0]);
  });

  it("gives partial credit for similar answers where embeddings are available", async () => {
    const embed = async (texts: readonly string[]) => texts.map((text) => (text === "Berlin" ? [1, 0] : [0.9, Math.sqrt(0.19)]));
    const { correctness: right } = await runReward(SemanticEtconReward, {}, { completions, golds }, { services: { embed } });
    expect(right).to.deep.equal([1, 0.47, 0]);
  });
});
