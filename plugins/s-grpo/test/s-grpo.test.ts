import { Random, runReward, type Tokenizer } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import fc from "fast-check";
import conformance from "../src/conformance.js";
import { DecayingReward, decayingRewards, exitPositions, thoughtLength } from "../src/index.js";

testVectors(new URL("../../vectors/s-grpo.json", import.meta.url), conformance);

const rewards = (correct: number[], exits: number[]) => [...decayingRewards(correct, exits, [correct.map((_, row) => row)], 0.5)];

describe("decaying rewards", () => {
  const table: [promise: string, correct: number[], exits: number[], expected: number[]][] = [
    ["follow the exits, not the rows", [1, 1, 1], [30, 10, 20], [0.25, 1, 0.5]],
    ["give the only right answer 1, wherever it leaves", [0, 1, 0], [1, 9, 5], [0, 1, 0]],
    ["give nothing where nothing is right", [0, 0], [1, 2], [0, 0]],
    ["break ties by row", [1, 1], [5, 5], [1, 0.5]],
    ["skip what cannot be verified", [Number.NaN, 1], [1, 2], [Number.NaN, 1]],
  ];
  for (const [promise, correct, exits, expected] of table) it(promise, () => expect(rewards(correct, exits)).to.deep.equal(expected));
});

/** One token a character; id 0 stops. */
const tokenizer = {
  stopTokens: [0],
  decode: (tokens: ArrayLike<number>) => Array.from(tokens, (id) => (id === 0 ? "" : String.fromCharCode(id))).join(""),
} as unknown as Tokenizer;
const tokens = (text: string) => Array.from(text, (char) => char.charCodeAt(0));

describe("the thought", () => {
  const table: [promise: string, tokens: number[], length: number][] = [
    ["ends before its end tag", [...tokens("abc</t>42"), 0], 3],
    ["is the whole response when the tag never comes", tokens("abc"), 3],
    ["leaves the stop token out", [...tokens("abc"), 0], 3],
    ["may be empty", tokens("</t>42"), 0],
  ];
  for (const [promise, ids, length] of table) it(promise, () => expect(thoughtLength(tokenizer, ids, "</t>")).to.equal(length));

  it("is left at distinct places in ascending order, all of them when there are few", () => {
    fc.assert(
      fc.property(fc.nat(30), fc.integer({ min: 1, max: 10 }), fc.nat(), (n, exits, seed) => {
        const positions = exitPositions(n, exits, new Random(seed));
        expect(positions).to.have.length(Math.min(n, exits));
        expect(new Set(positions).size).to.equal(positions.length);
        expect(positions).to.deep.equal([...positions].sort((a, b) => a - b));
        expect(positions.every((p) => p >= 1 && p <= n)).to.equal(true);
      }),
    );
  });
});

describe("DecayingReward", () => {
  const specs = { exitPosition: { at: "row", dtype: "i32" } } as const;
  it("orders the responses by the sampler's exits", async () => {
    const { rewards: scored, metrics } = await runReward(
      DecayingReward,
      {},
      { completions: ["a", "b"], exitPosition: [9, 4], group: [0, 0] },
      { inner: { rewards: [1, 1] }, specs },
    );
    expect(scored).to.deep.equal([0.5, 1]);
    expect(metrics).to.deep.equal({ solved: 1 });
  });

  it("is plain correctness where there are no exits", async () => {
    const { rewards: scored } = await runReward(
      DecayingReward,
      {},
      { completions: ["a", "b"], group: [0, 0] },
      { inner: { rewards: [1, 1] } },
    );
    expect(scored).to.deep.equal([1, 1]);
  });
});
