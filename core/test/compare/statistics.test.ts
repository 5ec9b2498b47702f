import { expect } from "chai";
import { curve, estimate, type MetricsRecord, meanHeight, measure, pairedDifference } from "../../src/index.js";

describe("statistics over seeds", () => {
  it("gives the mean with Student's 95 % interval", () => {
    // scipy.stats.t.interval(0.95, 4, loc=3, scale=scipy.stats.sem([1, 2, 3, 4, 5]))
    const { mean, std, interval } = estimate([1, 2, 3, 4, 5]);
    expect(mean).to.equal(3);
    expect(std).to.be.closeTo(Math.sqrt(2.5), 1e-12);
    // jStat inverts the distribution to 1e-8.
    expect(interval![0]).to.be.closeTo(1.036756838522439, 1e-8);
    expect(interval![1]).to.be.closeTo(4.9632431614775605, 1e-8);
  });

  it("gives no interval of a single value", () => {
    expect(estimate([2])).to.deep.equal({ count: 1, mean: 2, std: null, interval: null });
  });

  it("counts all sign patterns: five differences of one sign give p = 2/32, a pair that cancels gives 1", () => {
    expect(pairedDifference([2, 3, 4, 5, 6], [1, 1, 1, 1, 1])).to.deep.include({ count: 5, mean: 3, p: 1 / 16 });
    expect(pairedDifference([1, 0], [0, 1]).p).to.equal(1);
  });

  it("draws sign patterns when there are many, the same ones each time", () => {
    const method = Array.from({ length: 20 }, (_, i) => Math.sin(i));
    const baseline = Array.from({ length: 20 }, () => 0);
    const { p } = pairedDifference(method, baseline);
    expect(p).to.be.within(0.3, 1);
    expect(pairedDifference(method, baseline).p).to.equal(p);
  });

  it("is told by the pairs what the means alone hide", () => {
    const { mean, interval } = pairedDifference([1.1, 5.1, 9.1], [1, 5, 9]);
    expect(mean).to.be.closeTo(0.1, 1e-12);
    expect(interval![0]).to.be.closeTo(0.1, 1e-9);
  });
});

describe("measures of a run", () => {
  const records: MetricsRecord[] = [
    { step: 1, drawnTokens: 10, drawnResponses: 2, updates: 1, seconds: 1, reward: 0.1, "evalStart.accuracy": 0 },
    { step: 2, drawnTokens: 10, drawnResponses: 2, updates: 1, seconds: 1, reward: 0.3, "eval.accuracy": 0.5 },
    { step: 3, drawnTokens: 20, drawnResponses: 4, updates: 0, seconds: 1, reward: null },
    { step: 4, drawnTokens: 20, drawnResponses: 4, updates: 2, seconds: 1, reward: 0.9, "eval.accuracy": 1 },
  ];

  it("draws curves over the tokens drawn, held-out ones from before training", () => {
    expect(curve(records, "eval.accuracy")).to.deep.equal([
      [0, 0],
      [20, 0.5],
      [60, 1],
    ]);
    expect(curve(records, "reward")).to.deep.equal([
      [10, 0.1],
      [20, 0.3],
      [60, 0.9],
    ]);
  });

  it("sums what was drawn and done", () => {
    expect(measure(records, { budget: 60, target: 0.5 })).to.deep.equal({
      accuracy: 1,
      area: (5 + 30) / 60,
      tokensToTarget: 20,
      reward: 0.9,
      entropy: null,
      steps: 4,
      tokens: 60,
      responses: 12,
      updates: 4,
      seconds: 4,
    });
    expect(measure(records, { budget: 60, target: 1.1 }).tokensToTarget).to.equal(null);
  });

  const heights: [title: string, points: [number, number][], budget: number, height: number | null][] = [
    [
      "straight between points",
      [
        [0, 0],
        [10, 1],
      ],
      10,
      0.5,
    ],
    [
      "cut at the budget",
      [
        [0, 0],
        [10, 1],
      ],
      5,
      0.25,
    ],
    [
      "level after its last point",
      [
        [0, 0],
        [10, 1],
      ],
      20,
      0.75,
    ],
    [
      "level before its first point's tokens",
      [
        [10, 1],
        [20, 1],
      ],
      20,
      1,
    ],
    ["null of no points", [], 20, null],
  ];
  for (const [title, points, budget, height] of heights) {
    it(`takes the mean height of a curve: ${title}`, () => expect(meanHeight(points, budget)).to.equal(height));
  }
});
