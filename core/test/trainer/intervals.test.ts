import { expect } from "chai";
import { differenceOf, estimatesOf, majAtK, type Parts, Random, voteOf } from "../../src/index.js";

describe("votes", () => {
  for (const [text, vote] of [
    ["it is 7. So #### 8", "8"],
    ["\\boxed{3} or rather \\boxed{4} of 5", "4"],
    ["first 1,200 then 1,300.0", "1300"],
    ["  Blue ", "blue"],
  ] as const) {
    it(`of ${JSON.stringify(text)} are for ${vote}`, () => expect(voteOf(text)).to.equal(vote));
  }
});

describe("maj@k", () => {
  const table: [string, string[], number[], number, number][] = [
    ["is right when most votes are", ["7", "7", "3"], [1, 1, 0], 3, 1],
    ["is wrong when most votes are", ["3", "3", "7"], [0, 0, 1], 3, 0],
    ["counts a tie by its share of right answers", ["3", "3", "7", "7"], [0, 0, 1, 1], 4, 0.5],
    ["of one response is its accuracy", ["7"], [1], 1, 1],
    ["of two that differ is their mean", ["7", "3"], [1, 0], 2, 0.5],
  ];
  for (const [promise, texts, correct, k, expected] of table) {
    it(promise, () => expect(majAtK(texts, correct, k)).to.equal(expected));
  }

  it("for k below n is close to the mean over all subsets", () => {
    // Of the 4 subsets of 3 of (7, 7, 3, 5): two hold both 7s, two hold one each of three answers.
    const exact = (1 + 1 + 1 / 3 + 1 / 3) / 4;
    expect(majAtK(["7", "7", "3", "5"], [1, 1, 0, 0], 3)).to.be.closeTo(exact, 0.08);
    expect(majAtK(["7", "7", "3", "5"], [1, 1, 0, 0], 3)).to.equal(majAtK(["7", "7", "3", "5"], [1, 1, 0, 0], 3));
  });
});

const problem = (values: Record<string, number>): Parts => new Map(Object.entries(values).map(([name, sum]) => [name, { sum, count: 1 }]));

describe("intervals", () => {
  it("of a mean are close to the normal approximation", () => {
    const random = new Random(3);
    const problems = Array.from({ length: 400 }, () => problem({ accuracy: random.uniform() < 0.3 ? 1 : 0 }));
    const { metrics, intervals } = estimatesOf(problems, 1);
    const p = metrics.accuracy!;
    const half = 1.96 * Math.sqrt((p * (1 - p)) / 400);
    expect(intervals.accuracy![0]).to.be.closeTo(p - half, 0.012);
    expect(intervals.accuracy![1]).to.be.closeTo(p + half, 0.012);
  });

  it("hold the true mean about 95 times in a hundred", () => {
    let held = 0;
    for (let trial = 0; trial < 100; trial++) {
      const random = new Random(100 + trial);
      const { intervals } = estimatesOf(
        Array.from({ length: 60 }, () => problem({ length: 5 + 2 * random.normal() })),
        trial,
      );
      if (intervals.length![0] <= 5 && 5 <= intervals.length![1]) held++;
    }
    expect(held).to.be.within(88, 99);
  });

  it("depend on the seed alone", () => {
    const problems = Array.from({ length: 50 }, (_, i) => problem({ accuracy: i % 3 === 0 ? 1 : 0 }));
    expect(estimatesOf(problems, 1)).to.deep.equal(estimatesOf(problems, 1));
  });

  it("of problems that all agree are those of Clopper and Pearson, not a point", () => {
    const none = Array.from({ length: 20 }, () => problem({ accuracy: 0, "pass@4": 1 }));
    const { accuracy, "pass@4": pass } = estimatesOf(none, 1).intervals;
    // 1 - 0.025^(1/20)
    expect(accuracy![0]).to.equal(0);
    expect(accuracy![1]).to.be.closeTo(0.1684, 1e-4);
    expect(pass![0]).to.be.closeTo(1 - 0.1684, 1e-4);
    expect(pass![1]).to.equal(1);
  });

  it("leave out problems without a verdict", () => {
    const { metrics } = estimatesOf([problem({ accuracy: 1 }), new Map([["accuracy", { sum: 0, count: 0 }]])], 1);
    expect(metrics.accuracy).to.equal(1);
  });

  it("of a difference pair the problems: what is equal for both adds no width", () => {
    const random = new Random(5);
    const hard = Array.from({ length: 80 }, () => random.normal() * 10);
    const before = hard.map((length) => problem({ length }));
    const after = hard.map((length) => problem({ length: length + 1 }));
    const { metrics, intervals } = differenceOf(before, after, 1);
    expect(metrics.length).to.be.closeTo(1, 1e-12);
    for (const bound of intervals.length!) expect(bound).to.be.closeTo(1, 1e-12);
  });
});
