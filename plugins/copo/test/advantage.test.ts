import { Batch, instantiate, type Options, runAdvantage } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { answerEntropy, CopoAdvantage } from "../src/advantage.js";
import conformance from "../src/conformance.js";

testVectors(new URL("../../vectors/copo.json", import.meta.url), conformance);

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

describe("COPO's answer entropy", () => {
  const cases: [answers: string[], bits: number][] = [
    [["a", "a", "a"], 0],
    [["a", "b"], 1],
    [["a", "b", "c", "d"], 2],
    [["", "", "a", "a"], 1],
  ];
  for (const [answers, bits] of cases) {
    it(`of ${JSON.stringify(answers)} is ${bits} bits`, () => expect(answerEntropy(answers)).to.be.closeTo(bits, 1e-7));
  }
});

describe("COPO's advantages", () => {
  const estimate = (rewards: number[], group: number[], answers: (string | null)[], options: Options = {}) =>
    runAdvantage(CopoAdvantage, options, { rewards, group, answers }) as Promise<Record<string, number[]>>;

  it("a unanimous group learns from the global loss alone", async () => {
    const { localAdvantages, localWeights, globalAdvantages } = await estimate([1, 1, 1, 0], [0, 0, 1, 1], ["a", "a", "b", "c"]);
    expect(localAdvantages!.slice(0, 2)).to.deep.equal([0, 0]);
    expect(localWeights!.slice(0, 2)).to.deep.equal([0, 0]);
    expect(globalAdvantages![0]).to.be.greaterThan(0);
  });

  it("groups of equal global reward give no global signal", async () => {
    const { globalAdvantages } = await estimate([1, 0, 0, 1], [0, 0, 1, 1], ["a", "b", "c", "d"]);
    for (const g of globalAdvantages!) expect(g).to.be.closeTo(0, 1e-9);
  });

  it("one prompt in the batch gives a global advantage of 0", async () => {
    expect((await estimate([1, 0], [4, 4], ["a", "b"])).globalAdvantages).to.deep.equal([0, 0]);
  });

  it("a group of one keeps its reward and has full consistency", async () => {
    const { localAdvantages, globalRewards } = await estimate([0.8, 1, 0], [0, 1, 1], ["a", "b", "c"]);
    expect(localAdvantages![0]).to.be.closeTo(0.8 / (1 + 1e-6), 1e-12);
    expect(globalRewards![0]).to.be.closeTo(0.8, 1e-12);
  });

  it("n different answers divide the group's reward by n, unless rewardCoef is off", async () => {
    const given = [
      [1, 1, 0, 0],
      [0, 0, 0, 0],
      ["a", "b", "c", "d"],
    ] as const;
    const reward = async (options: Options) => (await estimate([...given[0]], [...given[1]], [...given[2]], options)).globalRewards![0];
    expect(await reward({})).to.be.closeTo(0.5 / 4, 1e-7);
    expect(await reward({ rewardCoef: false })).to.equal(0.5);
  });

  it("answers that could not be extracted are one class", async () => {
    const { answerEntropy: bits } = await estimate([0, 0, 1, 1], [0, 0, 0, 0], [null, null, "a", "a"]);
    expect(bits![0]).to.be.closeTo(1, 1e-7);
  });

  const modes: [blendMode: string, unanimous: number, mixed: number][] = [
    ["softForced", 0, sigmoid(0.5)],
    ["soft", sigmoid(-0.5), sigmoid(0.5)],
    ["forced", 0, 1],
    ["global", 0, 0],
    ["local", 1, 1],
  ];
  for (const [blendMode, unanimous, mixed] of modes) {
    it(`${blendMode} weighs a unanimous group ${unanimous.toFixed(2)} and a mixed one ${mixed.toFixed(2)}`, async () => {
      const { localWeights } = await estimate([1, 1, 1, 0], [0, 0, 1, 1], ["a", "a", "b", "c"], { blendMode });
      expect(localWeights![0]).to.be.closeTo(unanimous, 1e-7);
      expect(localWeights![2]).to.be.closeTo(mixed, 1e-7);
    });
  }

  it("compares whole completions where no reward extracts answers", () => {
    const batch = new Batch({ lengths: [1, 1], group: [0, 0] }).with({ rewards: [1, 0], completions: ["7", "7"] });
    const { columns, metrics } = instantiate(CopoAdvantage).estimate(batch);
    expect((columns.answerEntropy as Float64Array)[0]).to.be.closeTo(0, 1e-7);
    expect(metrics).to.include({ signalFraction: 1 });
  });
});
