import { instantiate, type Options, type Prompt, type Trajectory } from "@proximal/core";
import { sampleContext } from "@proximal/core/testing";
import { expect } from "chai";
import { DifficultySampler } from "../src/index.js";
import type { RegState } from "../src/sampler.js";

const codes = (text: string) => Int32Array.from(text, (character) => character.charCodeAt(0));
const prompt = (id: string, text: string, fields: Record<string, unknown> = {}): Prompt => ({
  id,
  text,
  tokens: codes(text),
  golds: [],
  fields,
});
const PROMPTS = [prompt("hard", "h", { solution: "abcdef" }), prompt("easy", "one two three four?", { context: "one two three four" })];

/** "abcdef" is right; the hard prompt gets it when it is shown a part, the easy one always. */
const reward = ({ text }: Trajectory) => Number(text === "abcdef");
const respond = ({ prompt: { id }, prefix }: { prompt: Prompt; prefix?: Int32Array }) =>
  id === "easy" ? "abcdef" : prefix === undefined ? "x" : "abcdef".slice(prefix.length);

async function steps(count: number, options: Options = {}, between = (state: RegState) => state) {
  const sampler = instantiate(DifficultySampler, { promptsPerStep: 2, groupSize: 2, shuffle: false, ...options });
  let state = sampler.initialState();
  const seen = [];
  for (let step = 0; step < count; step++) {
    const context = sampleContext({ state: between(state), step, prompts: PROMPTS, respond, reward });
    const policy = { ...context.policy, tokenizer: { encode: codes } } as unknown as typeof context.policy;
    const result = await sampler.collect({ ...context, policy });
    state = result.state;
    seen.push({ ...result, requests: context.requests });
  }
  return seen;
}

const shown = ({ requests }: { requests: { prefix?: Int32Array }[] }) => String.fromCharCode(...(requests[0]!.prefix ?? []));

describe("the difficulty-aware sampler", () => {
  it("leaves prompts alone that it has not seen", async () => {
    const [first] = await steps(1);
    expect(shown(first!)).to.equal("");
    expect(first!.groups.map(({ prompt }) => prompt.text)).to.deep.equal(["h", "one two three four?"]);
    expect([...first!.batch.f64("hinted")]).to.deep.equal([0, 0, 0, 0]);
  });

  it("shows a hard prompt the first part of its solution and does not train on it", async () => {
    const [, second] = await steps(2);
    // All rewards 1/2 on average, this prompt's 0.
    expect(shown(second!)).to.equal("abc");
    expect([...second!.batch.f64("hinted")]).to.deep.equal([1, 1, 0, 0]);
    expect([...second!.batch.trajectories[0]!.mask]).to.deep.equal([0, 0, 0, 1, 1, 1]);
    expect(second!.requests[0]!.maxTokens).to.equal(8 - 3);
  });

  it("masks words of an easy prompt's context in proportion", async () => {
    const [, second] = await steps(2);
    const { text } = second!.groups[1]!.prompt;
    expect(
      text
        .slice(0, -1)
        .split(" ")
        .filter((word) => word === "_").length,
    ).to.equal(2);
    expect(text).to.match(/\?$/);
    expect(second!.groups[1]!.prompt.id).to.equal("easy");
  });

  it("shows what the policy found itself before the field of the data set", async () => {
    const seen = await steps(1);
    const found: RegState = { ...seen[0]!.state, paths: { hard: codes("ABCDEF") } };
    const [again] = await steps(1, {}, () => found);
    expect(shown(again!)).to.equal("ABC");
  });

  it("stores rewards of the last batches, mean rewards and successful paths", async () => {
    const { state } = (await steps(3, { window: 2 })).at(-1)!;
    expect(state.buffer).to.deep.equal([
      [1, 1, 1, 1],
      [0, 0, 1, 1],
    ]);
    expect(state.meanReward).to.deep.equal({ hard: 0, easy: 1 });
    expect(String.fromCharCode(...state.paths.hard!)).to.equal("abcdef");
  });

  it("says how many prompts it changed", async () => {
    const [first, second] = await steps(2);
    expect(first!.metrics).to.include({ easierFraction: 0, harderFraction: 0, hintedFraction: 0 });
    expect(second!.metrics).to.include({ easierFraction: 0.5, harderFraction: 0.5, hintedFraction: 0.5, bufferReward: 0.5 });
  });

  it("goes on from a copied state as if it had not stopped", async () => {
    const [whole, resumed] = [await steps(3), await steps(3, {}, structuredClone)];
    expect(resumed.at(-1)!.state).to.deep.equal(whole.at(-1)!.state);
    expect(resumed.map(shown)).to.deep.equal(whole.map(shown));
  });
});
