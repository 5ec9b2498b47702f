import { runReward } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import fc from "fast-check";
import conformance from "../src/conformance.js";
import { DiversityReward, diversityRewards, formulasOf, groupDiversity, LocalEntropy } from "../src/index.js";

testVectors(new URL("../../vectors/dsdr.json", import.meta.url), conformance);

testTerms("LocalEntropy", { component: LocalEntropy, options: { localCoef: 0.5 } });

const o = { globalCoef: 0.01, diversityClip: 1, semanticWeight: 0.5, allocationScale: 3, correctThreshold: 0.5 };

describe("diversity", () => {
  it("is 0 for identical responses and for a group of one", () => {
    const facts = {
      rewards: [1, 1],
      embeddings: [
        [1, 2],
        [1, 2],
      ],
      formulas: [["x"], ["x"]],
    };
    expect(groupDiversity([0, 1], facts, 0.5)).to.deep.equal([0, 0]);
    expect(groupDiversity([0], facts, 0.5)).to.deep.equal([0]);
  });

  it("counts an expression of a response once", () => {
    const facts = { rewards: [1, 1], embeddings: [[1], [1]], formulas: [["x", "x", "y"], ["y"]] };
    expect(groupDiversity([0, 1], facts, 0)).to.deep.equal([0.5, 0]);
  });

  it("is 1/2 at a right angle and 1 for opposite meanings", () => {
    const facts = {
      rewards: [1, 1],
      embeddings: [
        [1, 0],
        [0, 3],
      ],
      formulas: [[], []],
    };
    expect(groupDiversity([0, 1], facts, 1)).to.deep.equal([0.5, 0.5]);
    expect(
      groupDiversity(
        [0, 1],
        {
          ...facts,
          embeddings: [
            [1, 0],
            [-2, 0],
          ],
        },
        1,
      ),
    ).to.deep.equal([1, 1]);
  });

  const row = fc.record({
    reward: fc.constantFrom(0, 1),
    embedding: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: -9, max: 9 })),
    formulas: fc.array(fc.constantFrom("x", "y", "z")),
  });
  const scored = (rows: readonly { reward: number; embedding: readonly number[]; formulas: string[] }[]) =>
    diversityRewards(
      { rewards: rows.map((r) => r.reward), embeddings: rows.map((r) => r.embedding), formulas: rows.map((r) => r.formulas) },
      [rows.map((_, i) => i)],
      o,
    );

  it("keeps every right response above every wrong one and pays wrong ones nothing", () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 8 }), (rows) => {
        const { rewards } = scored(rows);
        rewards.forEach((reward, i) => {
          if (rows[i]!.reward === 0) expect(reward).to.equal(0);
          else expect(reward).to.be.within(1, 1.01 + 1e-12);
        });
      }),
    );
  });

  it("shares the local term out over the right responses: the weights sum to 1, or to 0 without any", () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 8 }), (rows) => {
        const total = scored(rows).localWeights.reduce((a, b) => a + b, 0);
        expect(total).to.be.closeTo(rows.some((r) => r.reward === 1) ? 1 : 0, 1e-12);
      }),
    );
  });
});

describe("the expressions of a text", () => {
  const table: [text: string, formulas: string[]][] = [
    ["so $x + 1$ and \\(y\\) but \\[ z^2 \\] or $$w\n= 3$$", ["x+1", "y", "z^2", "w=3"]],
    ["no formula at all", []],
    ["$ $", []],
  ];
  for (const [text, formulas] of table) it(`are ${JSON.stringify(formulas)}`, () => expect(formulasOf(text)).to.deep.equal(formulas));
});

describe("DiversityReward", () => {
  it("embeds every response of the batch and leaves unverifiable ones without reward", async () => {
    const embed = async (texts: readonly string[]) => texts.map((text) => (text.includes("x") ? [1, 0] : [0, 1]));
    const { rewards, localWeights, diversity } = await runReward(
      DiversityReward,
      { globalCoef: 0.1 },
      { completions: ["$x$", "$y$", "$y$"], group: [0, 0, 0] },
      { inner: { rewards: [1, 0, Number.NaN] }, services: { embed } },
    );
    expect(diversity).to.deep.equal([0.75, 0.125, 0.125]);
    expect(rewards).to.deep.equal([1.075, 0, null]);
    expect(localWeights).to.deep.equal([1, 0, 0]);
  });
});
