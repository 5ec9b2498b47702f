import { ClipGate, type Options, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { RladGate } from "../src/index.js";

testVectors(new URL("../../vectors/rlad.json", import.meta.url), conformance);

testTerms("RladGate", { component: RladGate });
testTerms("RladGate, clamped log-ratios", { component: RladGate, options: { logRatioClamp: 0.1, alpha: 0.3 } });
testTerms("RladGate, no clamp", { component: RladGate, options: { logRatioClamp: null, alpha: 0 } });

const run = (options: Options, inputs: Parameters<typeof runTerms>[1]) => runTerms({ component: RladGate, options }, inputs);
const tokens = { logp: [[-1.3, -0.2, -2.5], [-0.7]], oldLogp: [[-1, -0.5, -2.4], [-1.1]], advantages: [0.8, -1.2] };

describe("RLAD's anchor", () => {
  it("is GRPO's for alpha 1, bit for bit, whatever the teacher says", () => {
    const teacherLogp = [[-9, -0.01, Number.NEGATIVE_INFINITY], [-3]];
    const clip = runTerms({ component: ClipGate }, tokens);
    const rlad = run({ alpha: 1 }, { ...tokens, teacherLogp });
    expect([rlad.loss, rlad.gradLogp]).to.deep.equal([clip.loss, clip.gradLogp]);
  });

  it("is the teacher's for alpha 0", () => {
    const clip = runTerms({ component: ClipGate }, tokens);
    const rlad = run({ alpha: 0 }, { ...tokens, oldLogp: [[-7, -7, -7], [-7]], teacherLogp: tokens.oldLogp });
    expect([rlad.loss, rlad.gradLogp]).to.deep.equal([clip.loss, clip.gradLogp]);
  });

  const slopes: [promise: string, logp: number, teacher: number, advantage: number, options: Options, slope: number][] = [
    ["takes the whole gradient inside clamp and clip", -1, -1.1, 1, {}, Math.exp(0.05)],
    ["takes alpha of it where the clamp binds", -1, -0.5, 1, { logRatioClamp: 0.2, alpha: 0.7 }, 0.7 * Math.exp(-0.06)],
    ["cuts a push on a token that the teacher dislikes", -1, -1.6, 1, {}, 0],
    ["goes on pushing a token that the teacher likes", -1, -0.4, 1, {}, Math.exp(-0.3)],
    ["takes none without advantage", -1, -0.5, 0, {}, 0],
  ];
  for (const [promise, logp, teacher, advantage, options, slope] of slopes) {
    it(`on-policy it ${promise}`, () => {
      const { gradLogp } = run(options, { logp: [[logp]], oldLogp: [[logp]], teacherLogp: [[teacher]], advantages: [advantage] });
      expect(-gradLogp[0]![0]!).to.be.closeTo(slope, 1e-12);
    });
  }

  it("raises a teacher's log-probability to its floor", () => {
    const inputs = { logp: [[-25]], oldLogp: [[-25]], advantages: [1] };
    const at = (teacher: number) => run({ logRatioClamp: null }, { ...inputs, teacherLogp: [[teacher]] });
    expect(at(-1000)).to.deep.equal(at(-20));
  });

  it("reports clamped and clipped tokens and the distance to the teacher", () => {
    const { observed } = run({}, { logp: [[-1, -1]], oldLogp: [[-1, -1]], teacherLogp: [[-2.5, -1.2]], advantages: [1] });
    expect(observed["rlad.clampFraction"]![0]).to.equal(0.5);
    expect(observed["rlad.clipFractionHigh"]![0]).to.equal(0.5);
    expect(observed["rlad.teacherKl"]![0]).to.be.closeTo(0.85, 1e-12);
  });
});
