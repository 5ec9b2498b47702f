import { ClipGate, GroupNormalizedAdvantage, type Options, runAdvantage } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { asymmetricClip, NgrpoAdvantage } from "../src/index.js";

testVectors(new URL("../../vectors/ngrpo.json", import.meta.url), conformance);

testTerms("NGRPO's asymmetric clip", { component: ClipGate, options: asymmetricClip });

async function estimate(rewards: number[], options: Options = {}, more = {}) {
  const { advantages, keep, metrics } = await runAdvantage(NgrpoAdvantage, options, { rewards, group: rewards.map(() => 4), ...more });
  return { advantages: advantages as number[], keep: keep as number[], metrics: metrics as Record<string, number> };
}

describe("NGRPO's advantage", () => {
  const eight = (reward: number) => new Array<number>(8).fill(reward);
  const cases: [promise: string, rewards: number[], options: Options, advantages: number[]][] = [
    ["a failed group of eight is pushed down by a third each", eight(0), { stdEps: 1e-12 }, eight(-1 / 3)],
    ["a single failure is compared with the virtual response", [0], { stdEps: 1e-12 }, [-Math.SQRT1_2]],
    ["a solved group that is kept has no signal", eight(1), { filterAllCorrect: false }, eight(0)],
    ["a reward above the maximum is allowed", [2, 0], { stdEps: 1e-12 }, [1, -1]],
    ["two virtual responses weigh twice", [0, 1], { virtualCount: 2, stdEps: 1e-12 }, [-1.5, 0.5]],
    ["without virtual responses a failed group has no signal", eight(0), { virtualCount: 0 }, eight(0)],
    ["without virtual responses a single response has none", [0], { virtualCount: 0 }, [0]],
  ];
  for (const [promise, rewards, options, advantages] of cases) {
    it(promise, async () => {
      const result = await estimate(rewards, options);
      result.advantages.forEach((advantage, i) => {
        expect(advantage).to.be.closeTo(advantages[i]!, 1e-9);
      });
    });
  }

  it("is GRPO's without virtual responses", async () => {
    const inputs = { rewards: [0, 1, 0, 0.5], group: [0, 0, 0, 0] };
    const grpo = await runAdvantage(GroupNormalizedAdvantage, {}, inputs);
    expect((await estimate(inputs.rewards, { virtualCount: 0 })).advantages).to.deep.equal(grpo.advantages);
  });

  it("leaves solved groups out and keeps failed ones", async () => {
    const result = await estimate([1, 1, 0, 0], {}, { group: [0, 0, 1, 1] });
    expect(result.keep).to.deep.equal([0, 0, 1, 1]);
    expect(result.advantages.slice(0, 2)).to.deep.equal([0, 0]);
    expect(result.metrics).to.deep.equal({ allWrongFraction: 0.5, filteredFraction: 0.5 });
  });

  it("asks the column of correct answers where there is one", async () => {
    const shaped = await estimate([1.2, 1.1, 0.9, 0.8], {}, { group: [0, 0, 1, 1], correct: [1, 0, 1, 1] });
    expect(shaped.keep).to.deep.equal([1, 1, 0, 0]);
  });
});
