import { expect } from "chai";
import { type MetricsRecord, rewardShares, rewardWeights, warningsOf } from "../../src/index.js";

/** 20 records of a metric that goes from the one value to the other. */
const line = (...metrics: [name: string, from: number, to: number][]): MetricsRecord[] =>
  Array.from({ length: 20 }, (_, i) => ({
    step: i + 1,
    ...Object.fromEntries(metrics.map(([name, from, to]) => [name, from + ((to - from) * i) / 19])),
  }));

describe("what stands out in metrics", () => {
  const cases: [what: string, records: MetricsRecord[], titles: string[]][] = [
    ["a run that learns", line(["reward", 0.2, 0.9], ["eval.accuracy", 0.2, 0.9], ["length", 100, 110], ["entropyEstimate", 1, 0.6]), []],
    ["nothing yet", [], []],
    ["nine steps of anything", line(["length", 10, 100]).slice(0, 9), []],
    [
      "a reward that rises while held-out accuracy falls",
      line(["reward", 0.2, 0.9], ["eval.accuracy", 0.5, 0.4]),
      ["The reward rises, the held-out accuracy falls"],
    ],
    ["held-out accuracy that falls with the reward", line(["reward", 0.9, 0.2], ["eval.accuracy", 0.5, 0.4]), []],
    [
      "one component that rises alone",
      line(["reward", 0.2, 0.9], ["reward.match", 0.5, 0.5], ["reward.format", 0, 0.7]),
      ["The component format drives the reward"],
    ],
    ["components that rise together", line(["reward.match", 0, 0.5], ["reward.format", 0, 0.5]), []],
    ["longer responses", line(["length", 50, 400]), ["Responses grow"]],
    ["shorter responses", line(["length", 400, 50]), ["Responses shrink"]],
    [
      "an entropy that has collapsed",
      [...line(["entropyEstimate", 1, 0.01]), ...line(["entropyEstimate", 0.01, 0.01])],
      ["The policy hardly explores any more"],
    ],
    ["cut responses", line(["truncated", 0.1, 0.5]), ["Many responses are cut at the length limit"]],
    ["groups without signal", line(["fracZeroStd", 0.1, 0.95]), ["Most groups carry no signal"]],
    ["a gate that stops much", line(["clipFraction", 0, 0.4]), ["The gate stops much of the update"]],
    ["a sampler that disagrees", line(["logpGapMax", 0, 2]), ["Sampler and trainer disagree"]],
    ["a policy that jumps", line(["kl", 0, 3]), ["The policy moves far in one step"]],
    ["a skipped update", [{ step: 1, skipped: 1 }], ["Updates were skipped"]],
  ];
  for (const [what, records, titles] of cases) {
    it(`of ${what}: ${titles.join(", ") || "nothing"}`, () => expect(warningsOf(records).map(({ title }) => title)).to.deep.equal(titles));
  }

  it("weighs the change of each component by its weight in the config", () => {
    const records = line(["reward.match", 0, 0.5], ["reward.style", 1, 0]);
    const weights = rewardWeights({
      rewards: [
        { use: "match", weight: 4 },
        { use: "format", name: "style" },
      ],
    });
    expect(weights).to.deep.equal({ match: 4, style: 1 });
    const [match, style] = rewardShares(records, weights);
    expect(match).to.include({ name: "match", weight: 4 });
    expect(match!.contribution / style!.contribution).to.be.closeTo(-2, 1e-9);
  });
});
