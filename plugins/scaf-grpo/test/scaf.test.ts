import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { hintsOf } from "../src/hints.js";
import { repairGroup } from "../src/repair.js";

testVectors(new URL("../../vectors/scaf-grpo.json", import.meta.url), conformance);

const o = { warmupSteps: 5, replaceCount: 2 };
const hints = { knowledge: ["a", "b"], solution: ["x", "y", "z"] };

describe("Scaf-GRPO", () => {
  const cases: [
    title: string,
    rewards: number[],
    hinted: [level: number, reward: number][],
    step: number,
    replaced: number[],
    level: number | null,
  ][] = [
    [
      "takes the smallest level that succeeds, whatever the order",
      [0, 0, 0],
      [
        [3, 1],
        [2, 1],
        [1, 0],
      ],
      6,
      [0, 1],
      2,
    ],
    ["leaves a group with a success alone", [0, 1, 0], [[1, 1]], 6, [], null],
    ["waits until the step is beyond the warm-up", [0, 0], [[1, 1]], 5, [], null],
    [
      "leaves a group alone that no hint helps",
      [0, 0],
      [
        [1, 0],
        [2, 0],
      ],
      6,
      [],
      null,
    ],
  ];
  for (const [title, rewards, hinted, step, replaced, level] of cases) {
    it(title, () => {
      const repair = repairGroup(
        rewards,
        hinted.map(([l, reward]) => ({ level: l, reward })),
        step,
        o,
      );
      expect(repair.replaced).to.deep.equal(replaced);
      expect(repair.hintLevel).to.equal(level);
    });
  }

  it("shows the pieces of a tier cumulatively and skips a tier that the record lacks", () => {
    const prompt = { id: "1", text: "q", tokens: new Int32Array(), golds: [], fields: { hints } };
    expect(hintsOf(prompt, ["knowledge", "planning", "solution"], 4)).to.deep.equal([
      { level: 1, text: "a" },
      { level: 2, text: "a\nb" },
      { level: 9, text: "x" },
      { level: 10, text: "x\ny" },
      { level: 11, text: "x\ny\nz" },
    ]);
  });
});
