import { runReward } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { AdaReward, diversityScale, formatOf } from "../src/index.js";

testVectors(new URL("../../vectors/ada-grpo.json", import.meta.url), conformance);

describe("the format of a completion", () => {
  const formats = { "<ANSWER>": "direct", "<COT>": "shortCot" };
  const table: [completion: string, format: string][] = [
    ["<COT>because</COT>", "shortCot"],
    ["\n <ANSWER>4", "direct"],
    ["so <COT>", "unknown"],
    ["", "unknown"],
  ];
  for (const [completion, format] of table)
    it(`of ${JSON.stringify(completion)} is ${format}`, () => expect(formatOf(completion, formats)).to.equal(format));
});

describe("the diversity scale", () => {
  const modes = ["a", "a", "a", "b"];
  const scale = (step: number, diversityFloor?: number) => [
    ...diversityScale(modes, [[0, 1, 2, 3]], { step, totalSteps: 10, diversityFloor }),
  ];

  it("is G/F at first", () => expect(scale(0)).to.deep.equal([4 / 3, 4 / 3, 4 / 3, 4]));
  it("is 1 at the planned end, so that the method ends as GRPO", () => expect(scale(10)).to.deep.equal([1, 1, 1, 1]));
  it("is half-way in the middle", () => expect(scale(5)[3]).to.be.closeTo(2.5, 1e-12));
  it("can be capped", () => expect(scale(0, 2)[3]).to.equal(2));
  it("counts inside the group, whatever its size", () =>
    expect([
      ...diversityScale(
        modes,
        [
          [0, 3],
          [1, 2],
        ],
        { step: 0, totalSteps: 1 },
      ),
    ]).to.deep.equal([2, 1, 1, 2]));
});

describe("AdaReward", () => {
  it("reports the share of each format and passes unverifiable rows on", async () => {
    const { rewards, mode, metrics } = await runReward(
      AdaReward,
      { totalSteps: 4 },
      { completions: ["<COT>x", "<COT>y", "<CODE>z", "w"], group: [0, 0, 0, 0] },
      { inner: { rewards: [1, 0, 1, Number.NaN] } },
    );
    expect(rewards).to.deep.equal([2, 0, 4, null]);
    expect(mode).to.deep.equal(["shortCot", "shortCot", "code", "unknown"]);
    expect(metrics).to.include({ "share.shortCot": 0.5, "share.unknown": 0.25, "share.longCot": 0 });
  });
});
