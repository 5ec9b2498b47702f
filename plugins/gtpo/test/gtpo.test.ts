import { runAdvantage } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { conflictCount, conflictRuns } from "../src/conflicts.js";
import conformance from "../src/conformance.js";
import { GtpoAdvantage, GtpoGate } from "../src/index.js";

testVectors(new URL("../../vectors/gtpo.json", import.meta.url), conformance);

testTerms("GtpoGate", { component: GtpoGate });

describe("GTPO's conflict runs", () => {
  const cases: [title: string, rows: number[][], signs: number[], runs: [number, number][]][] = [
    [
      "a shared start and a shared end",
      [
        [1, 2, 9],
        [1, 3, 9],
      ],
      [1, -1],
      [
        [1, 1],
        [1, 1],
      ],
    ],
    [
      "identical rows are one conflict from both sides",
      [
        [4, 5],
        [4, 5],
      ],
      [1, -1],
      [
        [2, 2],
        [2, 2],
      ],
    ],
    [
      "a row at the group's mean takes no part",
      [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
      [1, 0, -1],
      [
        [2, 2],
        [0, 0],
        [2, 2],
      ],
    ],
    [
      "without a loser there is no conflict",
      [
        [1, 2],
        [1, 2],
      ],
      [1, 1],
      [
        [0, 0],
        [0, 0],
      ],
    ],
    [
      "ends are aligned by true lengths",
      [
        [7, 8, 9],
        [1, 9],
      ],
      [1, -1],
      [
        [0, 1],
        [0, 1],
      ],
    ],
  ];
  for (const [title, rows, signs, runs] of cases) {
    it(title, () => expect(conflictRuns(rows, signs).map((c) => [c.forward, c.backward])).to.deep.equal(runs));
  }

  it("counts a token in both runs once", () => expect(conflictCount({ forward: 2, backward: 2 }, 3)).to.equal(3));
});

describe("GTPO's advantage", () => {
  it("freezes the entropy of the first batch and filters by it", async () => {
    const inputs = { rewards: [1, 0], group: [0, 0], tokens: [[1], [2]], oldEntropy: [[0.2], [0.6]] };
    const { state } = await runAdvantage(GtpoAdvantage, {}, inputs);
    expect(state).to.deep.equal({ version: 1, initialEntropy: 0.4 });
    const later = await runAdvantage(GtpoAdvantage, {}, { ...inputs, oldEntropy: [[0.2], [0.9]] }, { state });
    expect(later.entropyKeep).to.deep.equal([1, 0]);
  });
});
