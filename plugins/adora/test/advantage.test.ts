import { completeOptions, type Inputs, type Options, runAdvantage } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { AdoraAdvantage, type AdoraOptions, isAdvantageous } from "../src/advantage.js";
import conformance from "../src/conformance.js";

testVectors(new URL("../../vectors/adora.json", import.meta.url), conformance);

describe("an advantageous group of ADORA", () => {
  const cases: [promise: string, rewards: number[], lengths: number[], options: Options, advantageous: boolean][] = [
    ["has a correct response longer than the mean wrong one", [1, 1, 0, 0], [3, 9, 4, 12], {}, true],
    ["is not one whose longest correct response equals that mean", [1, 0, 0], [8, 4, 12], {}, false],
    ["ignores wrong responses at the length limit", [1, 0, 0], [8, 4, 12], { maxLength: 12 }, true],
    ["needs a correct response (strict)", [0, 0], [3, 4], {}, false],
    ["needs none (lenient)", [0, 0], [3, 4], { variant: "lenient" }, true],
    ["may consist of correct responses (strict)", [1, 1], [3, 4], {}, true],
    ["may not (lenient)", [1, 1], [3, 4], { variant: "lenient" }, false],
    ["has only overlong wrong responses (strict)", [1, 0], [3, 9], { maxLength: 5 }, true],
    ["has no correct response, whatever is overlong (lenient)", [0, 0], [9, 9], { maxLength: 5, variant: "lenient" }, true],
    ["calls a reward at the threshold wrong", [0.5, 0.5], [3, 4], {}, false],
    ["is hard: a success rate of exactly `difficulty`", [1, 0], [3, 9], { criterion: "difficulty" }, true],
    ["is not easy", [1, 1, 0], [3, 4, 4], { criterion: "difficulty" }, false],
    ["is not hopeless", [0, 0], [3, 4], { criterion: "difficulty", variant: "lenient" }, false],
  ];
  for (const [promise, rewards, lengths, options, advantageous] of cases) {
    it(promise, () => {
      expect(isAdvantageous(rewards, lengths, completeOptions(AdoraAdvantage, options) as AdoraOptions)).to.equal(advantageous);
    });
  }
});

describe("ADORA's advantages", () => {
  const estimate = async (inputs: Inputs, options: Options = {}) =>
    (await runAdvantage(AdoraAdvantage, options, inputs)) as unknown as { advantages: number[]; metrics: Record<string, number> };
  const inputs = { rewards: [1, 0, 1, 1, 0], lengths: [9, 3, 2, 2, 8], group: [0, 0, 1, 1, 1] };

  it("are those of GRPO at factor 1", async () => {
    const [plain, damped] = [await estimate(inputs, { factor: 1 }), await estimate(inputs)];
    expect(damped.advantages.slice(0, 2)).to.deep.equal(plain.advantages.slice(0, 2));
    for (const row of [2, 3, 4]) expect(damped.advantages[row]).to.be.closeTo(0.1 * plain.advantages[row]!, 1e-15);
    expect(damped.metrics).to.include({ dampedGroups: 0.5 });
    expect(damped.metrics.correctLength).to.be.closeTo(13 / 3, 1e-12);
  });

  it("of a group of one are its weighted reward, without the eps", async () => {
    expect((await estimate({ rewards: [3, 0.25], lengths: [1, 1], group: [0, 1] })).advantages).to.deep.equal([3, 0.1 * 0.25]);
  });

  it("count the tokens that the policy chose", async () => {
    const tokens = [
      [1, 2, 3, 4],
      [1, 2, 3],
    ];
    const rewards = [1, 0];
    expect((await estimate({ rewards, tokens })).metrics.dampedGroups).to.equal(0);
    expect(
      (
        await estimate({
          rewards,
          tokens,
          mask: [
            [1, 0, 0, 1],
            [1, 1, 1],
          ],
        })
      ).metrics.dampedGroups,
    ).to.equal(1);
  });
});
