import { type Inputs, type Options, runAdvantage } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { D3sAdvantage } from "../src/advantage.js";
import conformance from "../src/conformance.js";
import { keptCount, scheduledRatio } from "../src/schedule.js";
import { maxVarianceSubset, topScores } from "../src/selection.js";

testVectors(new URL("../../vectors/d3s.json", import.meta.url), conformance);

const estimate = async (inputs: Inputs, options: Options = {}, step = 0) =>
  (await runAdvantage(D3sAdvantage, options, inputs, { step })) as unknown as {
    advantages: number[];
    keep: number[];
    keepTokens: number[][];
    metrics: Record<string, number>;
  };

describe("D3S's schedule", () => {
  const ratios: [step: number, ratio: number][] = [
    [0, 0.5],
    [50, 0.75],
    [100, 1],
    [500, 1],
  ];
  for (const [step, ratio] of ratios) {
    it(`keeps ${ratio} at step ${step} of 100`, () => expect(scheduledRatio({ start: 0.5, end: 1 }, step, 100)).to.equal(ratio));
  }

  const counts: [ratio: number, n: number, count: number][] = [
    [0.5, 8, 4],
    [0.5, 7, 4],
    [0.1 + 0.2, 10, 3],
    [0.01, 8, 1],
    [1, 8, 8],
    [0.5, 0, 0],
  ];
  for (const [ratio, n, count] of counts) {
    it(`takes ${count} of ${n} for a ratio of ${ratio}`, () => expect(keptCount(ratio, n)).to.equal(count));
  }
});

describe("D3S's selection of responses", () => {
  const cases: [promise: string, values: number[], m: number, subset: number[]][] = [
    ["takes both ends", [3, 1, 2, 0, 9], 2, [3, 4]],
    ["takes equal values by index", [1, 1, 0, 0], 2, [2, 1]],
    ["takes the smallest values where all subsets tie", [1, 1, 1], 2, [0, 1]],
    ["prefers fewer large values among equal variances", [-1, 0, 1], 1, [0]],
    ["takes everything", [2, 1], 2, [1, 0]],
  ];
  for (const [promise, values, m, subset] of cases) {
    it(promise, () => expect(maxVarianceSubset(values, m)).to.deep.equal(subset));
  }

  it("has the largest variance of all subsets", () => {
    const values = [0.3, -1.2, 0.9, 0.31, -0.4, 2.2, -1.19];
    const variance = (subset: readonly number[]) => {
      const center = subset.reduce((sum, i) => sum + values[i]!, 0) / subset.length;
      return subset.reduce((sum, i) => sum + (values[i]! - center) ** 2, 0) / subset.length;
    };
    for (let m = 1; m <= values.length; m++) {
      const all = Array.from({ length: 1 << values.length }, (_, bits) => [...values.keys()].filter((i) => bits & (1 << i)));
      const best = Math.max(...all.filter((subset) => subset.length === m).map(variance));
      expect(variance(maxVarianceSubset(values, m))).to.be.closeTo(best, 1e-12);
    }
  });

  it("takes the earlier of equal scores", () => expect(topScores([1, 2, 1, 2, 0], [0, 1, 2, 3], 3)).to.deep.equal([1, 3, 0]));
});

describe("D3S's advantages", () => {
  const two: Inputs = { rewards: [1, 0, 1, 1], group: [0, 0, 1, 1], oldEntropy: [[1, 2], [3], [9], [9, 9]] };

  it("drop a group without a signal first over the batch, and keep a share of it inside the group", async () => {
    expect((await estimate(two, { scope: "cross" })).keep).to.deep.equal([1, 1, 0, 0]);
    expect((await estimate(two, { scope: "intra" })).keep).to.deep.equal([0, 1, 1, 0]);
  });

  it("rank the tokens of kept responses by |A|·entropy", async () => {
    const { keepTokens } = await estimate(two, { sampleStart: 1 });
    expect(keepTokens).to.deep.equal([[1, 1], [1], [0], [0, 0]]);
    expect((await estimate(two, { sampleStart: 1, tokenStart: 1 })).keepTokens.flat().every(Boolean)).to.equal(true);
  });

  it("neither count nor keep tokens outside the mask, whatever they hold", async () => {
    const inputs = { rewards: [1, 0], oldEntropy: [[1, Number.NaN, 2], [3]], mask: [[1, 0, 1], [1]] };
    expect((await estimate(inputs, { sampleStart: 1, tokenStart: 0.6 })).keepTokens).to.deep.equal([[0, 0, 1], [1]]);
  });

  it("live with empty responses and with a batch of one", async () => {
    expect(await estimate({ rewards: [1, 0], oldEntropy: [[], [1]] })).to.deep.include({ keep: [0, 1], keepTokens: [[], [1]] });
    expect(await estimate({ rewards: [1], oldEntropy: [[1, 1]] })).to.deep.include({ advantages: [0], keep: [1] });
  });

  it("report what was kept", async () => {
    const { metrics } = await estimate(two);
    expect(metrics).to.include({ sampleRatio: 0.5, tokenRatio: 0.5, keptRows: 0.5, keptTokens: 2 / 6 });
    expect(metrics.keptVariance).to.be.above(metrics.variance!);
  });
});
