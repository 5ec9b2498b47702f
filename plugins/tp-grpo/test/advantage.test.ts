import { DataError, type Options, runAdvantage } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { TpAdvantage } from "../src/advantage.js";
import conformance from "../src/conformance.js";
import { type Label, merged, type Span, thoughtAdvantages } from "../src/thoughts.js";

testVectors(new URL("../../vectors/tp-grpo.json", import.meta.url), conformance);

const spans = (...labels: Label[]): Span[] => labels.map((label) => ({ label, length: 1 }));

describe("TP-GRPO's thoughts", () => {
  it("are runs of one label", () => {
    expect(merged(spans("correct", "correct", "incorrect", "correct"))).to.deep.equal([
      { label: "correct", length: 2 },
      { label: "incorrect", length: 1 },
      { label: "correct", length: 1 },
    ]);
    expect(merged([])).to.deep.equal([]);
  });

  const rows: [promise: string, labels: Label[], outcome: number, advantages: number[]][] = [
    ["of right solutions lose r_c where they are wrong", ["correct", "incorrect", "incorrect", "correct"], 2, [2, 1.5, 1.5, 2]],
    ["of right solutions may be wrong from the start", ["incorrect", "correct"], 2, [1.5, 2]],
    ["of wrong solutions are neutral where uncertain", ["uncertain", "matched", "uncertain", "matched"], -1, [0, -1, 0, -1]],
    ["of wrong solutions count fully where all agree", ["matched", "matched"], -1, [-1, -1]],
  ];
  for (const [promise, labels, outcome, advantages] of rows) {
    it(promise, () => expect([...thoughtAdvantages(merged(spans(...labels)), outcome, 0.5)]).to.deep.equal(advantages));
  }

  it("unmerged sum up suffixes: early steps turn negative", () => {
    const steps = spans("incorrect", "incorrect", "incorrect", "correct");
    expect([...thoughtAdvantages(steps, 1, 0.5)]).to.deep.equal([-0.5, 0, 0.5, 1]);
  });
});

describe("TP-GRPO's advantages", () => {
  const right: Span[] = [
    { label: "incorrect", length: 2 },
    { label: "correct", length: 1 },
  ];
  const estimate = async (rewards: number[], steps: Span[][], options: Options = {}) =>
    (await conformance.advantage!(options, { rewards, group: rewards.map(() => 0), steps })) as { advantages: number[][] };

  const cases: [promise: string, rewards: number[], options: Options, first: number][] = [
    ["scale r_c with the share of right solutions", [1, -1], {}, Math.SQRT1_2 - 0.5],
    ["or not", [1, -1], { adaptive: false }, Math.SQRT1_2 - 1],
    ["have a factor for it", [1, -1], { alpha: 0.2 }, Math.SQRT1_2 - 0.1],
    ["of a group of one are its outcome less r_c", [1], { stdEps: 1 }, 0.5 - 1],
  ];
  for (const [promise, rewards, options, first] of cases) {
    it(promise, async () => {
      const { advantages } = await estimate(rewards, [right, spans("matched")].slice(0, rewards.length), options);
      expect(advantages[0]![0]).to.be.closeTo(first, 1e-5);
      expect(advantages[0]![1]).to.equal(advantages[0]![0]);
    });
  }

  it("are all 0 where nobody is right", async () => {
    const wrong = spans("uncertain", "matched");
    expect((await estimate([-1, -1], [wrong, wrong])).advantages.flat().every((a) => a === 0)).to.equal(true);
  });

  it("are refused for steps that do not cover the response", async () => {
    const inputs = { rewards: [1], tokens: [[1, 2]], steps: [right] };
    const attempt = runAdvantage(TpAdvantage, {}, inputs, { specs: { steps: { at: "row", dtype: "json" } } });
    await attempt.then(
      () => expect.fail("accepted"),
      (error: unknown) =>
        expect(error)
          .to.be.instanceOf(DataError)
          .with.property("message")
          .that.matches(/3 tokens/),
    );
  });
});
