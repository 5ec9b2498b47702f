import { type Options, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { PreferenceObjective } from "../src/index.js";

testVectors(new URL("../../vectors/trpa.json", import.meta.url), conformance);

const specs = { preferenceLevel: { at: "row", dtype: "i32" } } as const;
const withLevels = (...preferenceLevel: number[]) => ({ specs, extra: { preferenceLevel } });

testTerms("PreferenceObjective", { component: PreferenceObjective }, withLevels(1, 2, 4, 3, 1, 1));
testTerms("PreferenceObjective without a pair", { component: PreferenceObjective }, withLevels(1, 1, 2, 2, 4, 4));
testTerms(
  "PreferenceObjective, square root of the KL",
  { component: PreferenceObjective, options: { sqrtKl: true, klCoef: 0.5 } },
  withLevels(1, 2, 4, 3, 1, 1),
);

/** Responses on-policy with mean log-ratios `rho` to the reference. */
const responses = (rho: number[], preferenceLevel: number[], group = rho.map(() => 0)) => {
  const logp = rho.map((x) => [x - 2, x - 2]);
  return { logp, oldLogp: logp, refLogp: rho.map(() => [-2, -2]), preferenceLevel, group };
};
const run = (inputs: object, options: Options = {}) =>
  runTerms({ component: PreferenceObjective, options: { klCoef: 0, ...options } }, inputs as Record<string, unknown>, { specs });

const softplus = (x: number) => Math.log1p(Math.exp(x));

describe("TRPA's preference", () => {
  const cases: [promise: string, rho: number[], levels: number[], group: number[], options: Options, loss: number][] = [
    ["starts at ln 2 with equal policies", [0, 0], [1, 4], [0, 0], {}, Math.LN2],
    ["weighs pairs won by level 1 by the anisotropy", [0.3, -0.2], [1, 4], [0, 0], {}, softplus(-2.5 * 0.1 * 0.5)],
    ["gives the others weight 1", [0.3, -0.2], [2, 4], [0, 0], {}, softplus(-0.1 * 0.5)],
    ["forms no pair across groups", [0.3, -0.2, 9], [1, 4, 4], [0, 0, 5], {}, softplus(-2.5 * 0.1 * 0.5)],
    ["forms no pair of equal levels", [0.3, -0.2, -0.2], [1, 4, 4], [0, 0, 0], {}, softplus(-2.5 * 0.1 * 0.5)],
    ["falls back to each response's own sign", [0.3, 0.3], [1, 2], [0, 5], {}, (softplus(-0.3) + softplus(0.3)) / 2],
    ["falls back for groups of one", [0.3], [1], [0], {}, softplus(-0.3)],
    [
      "takes the mean over pairs of all groups",
      [1, 0, 0, 0, 0],
      [1, 2, 3, 2, 3],
      [0, 0, 0, 5, 5],
      { beta: 1, anisotropy: 1 },
      (2 * softplus(-1) + 2 * Math.LN2) / 4,
    ],
  ];
  for (const [promise, rho, levels, group, options, loss] of cases) {
    it(promise, () => expect(run(responses(rho, levels, group), options).loss).to.be.closeTo(loss, 1e-12));
  }

  it("leaves responses without tokens out of pairs and fallback", () => {
    const empty = (inputs: ReturnType<typeof responses>, level: number) => ({
      logp: [...inputs.logp, []],
      oldLogp: [...inputs.oldLogp, []],
      refLogp: [...inputs.refLogp, []],
      preferenceLevel: [...inputs.preferenceLevel, level],
      group: [...inputs.group, 0],
    });
    for (const levels of [
      [1, 4],
      [2, 2],
    ]) {
      const full = responses([0.3, -0.2], levels);
      expect(run(empty(full, 3)).loss).to.equal(run(full).loss);
    }
  });

  it("penalises the distance to the policy that sampled, not to the reference", () => {
    const inputs = {
      ...responses([0.3, -0.2], [1, 4]),
      refLogp: [
        [-9, -9],
        [-9, -9],
      ],
    };
    const klOf = (options: Options) => run(inputs, options).loss - run(inputs).loss;
    expect(klOf({ klCoef: 1 })).to.be.closeTo(0, 1e-12);
    expect(klOf({ klCoef: 1, sqrtKl: true })).to.be.closeTo(0.5, 1e-12);
  });

  it("reports the share of pairs in the right order", () => {
    expect(run(responses([0.3, -0.2, 0.1], [1, 4, 2])).observed["trpa.ranked"]![0]).to.equal(1);
    expect(run(responses([-0.3, 0.2, 0.1], [1, 4, 2])).observed["trpa.ranked"]![0]).to.equal(0);
  });
});
