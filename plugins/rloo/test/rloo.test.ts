import { compare, type Options, runAdvantage, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { RlooAdvantage, RlooGate } from "../src/index.js";

testVectors(new URL("../../vectors/rloo.json", import.meta.url), conformance);

testTerms("RlooGate", { component: RlooGate });

const estimate = async (options: Options, inputs: Record<string, unknown>): Promise<number[]> =>
  (await runAdvantage(RlooAdvantage, { klCoef: 0, ...options }, inputs)).advantages as number[];

describe("RLOO's advantages", () => {
  const cases: [promise: string, options: Options, inputs: Record<string, unknown>, advantages: number[]][] = [
    ["of two responses are ±(R1 - R2)", {}, { rewards: [3, 1], group: [0, 0] }, [2, -2]],
    ["compare with the mean of the others", {}, { rewards: [1, 0, 0, 1, 0], group: [0, 1, 0, 1, 0] }, [1, -1, -0.5, 1, -0.5]],
    ["of equal rewards are exactly 0", {}, { rewards: [0.1, 0.1, 0.1], group: [0, 0, 0] }, [0, 0, 0]],
    ["of a single response are 0", {}, { rewards: [5, 1, 0], group: [0, 1, 1] }, [0, 1, -1]],
    ["of a single response are its reward with singleton raw", { singleton: "raw" }, { rewards: [5, 1, 0], group: [0, 1, 1] }, [5, 1, -1]],
    ["leave unscorable responses out of the baseline", {}, { rewards: [1, null, 0], group: [0, 0, 0] }, [1, 0, -1]],
    ["treat a response whose siblings are unscorable as single", { singleton: "raw" }, { rewards: [2, null], group: [0, 0] }, [2, 0]],
    ["of a batch of equal ones normalise to 0", { normalize: true, stdEps: 0 }, { rewards: [1, 1, 1], group: [0, 0, 1] }, [0, 0, 0]],
    [
      "take the KL of the own tokens as a sum off the reward",
      { klCoef: 0.5 },
      { rewards: [1, 1], group: [0, 0], oldLogp: [[-1, -2], []], refLogp: [[-2, -4], []], mask: [[1, 0], []] },
      [-0.5, 0.5],
    ],
  ];
  for (const [promise, options, inputs, expected] of cases) {
    it(promise, async () => expect(compare(expected, await estimate(options, inputs), 1e-12)).to.equal(null));
  }

  it("sum to 0 in every group, and normalised have mean 0 and sample std 1", async () => {
    const inputs = { rewards: [0.3, 1.7, -2, 0.9, 4, 0.1], group: [2, 2, 9, 2, 9, 9] };
    const advantages = await estimate({}, inputs);
    expect(advantages[0]! + advantages[1]! + advantages[3]!).to.be.closeTo(0, 1e-12);
    const normal = await estimate({ normalize: true, stdEps: 0 }, inputs);
    expect(normal.reduce((a, b) => a + b)).to.be.closeTo(0, 1e-12);
    expect(normal.reduce((a, b) => a + b * b, 0) / 5).to.be.closeTo(1, 1e-12);
  });
});

describe("RLOO's gate", () => {
  const ln = Math.log;
  const cases: [promise: string, ratios: number[], advantage: number, gradient: number][] = [
    ["gives every token -A·s", [1.1, 0.9], 2, -2 * 0.99],
    ["cuts a response above the clip off as a whole", [1.5, 0.9], 1, 0],
    ["keeps pushing one above the clip down", [1.5, 0.9], -1, 1.35],
    ["cuts a response below the clip off when A < 0", [0.5, 1.2], -1, 0],
  ];
  for (const [promise, ratios, advantage, gradient] of cases) {
    it(promise, () => {
      const { gradLogp } = runTerms(
        { component: RlooGate },
        { logp: [ratios.map((r) => ln(r) - 1), []], oldLogp: [ratios.map(() => -1), []], advantages: [advantage, 9] },
      );
      expect(compare([ratios.map(() => gradient), []], gradLogp, 1e-12)).to.equal(null);
    });
  }
});
