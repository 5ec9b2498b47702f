import { type Options, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { DiscoObjective } from "../src/index.js";

testVectors(new URL("../../vectors/disco.json", import.meta.url), conformance);

for (const [variant, score, klEstimator] of [
  ["dro", "logLikelihood", "k3"],
  ["dro", "likelihoodRatio", "k1"],
  ["basic", "likelihoodRatio", "k3"],
]) {
  // A small β keeps the hinge from drowning the scores in the finite differences.
  testTerms(`DiscoObjective, ${variant} on ${score}, ${klEstimator}`, {
    component: DiscoObjective,
    options: { variant, score, klEstimator, beta: 5 },
  });
}

/** Loss and gradient on the policy that sampled: the KL is 0, the hinge is off. */
const onPolicy = (logp: number[][], rewards: number[], group: number[], options: Options = {}) =>
  runTerms({ component: DiscoObjective, options }, { logp, oldLogp: logp, rewards, group });

describe("DisCO", () => {
  const still: [promise: string, logp: number[][], rewards: number[], group: number[]][] = [
    ["groups of one class push nothing", [[-1], [-2], [-1], [-0.5]], [1, 1, 0, 0], [0, 0, 1, 1]],
    ["a group of one pushes nothing", [[-1, -2]], [1], [0]],
    ["an empty response is in neither class", [[-1, -2], []], [1, 0], [0, 0]],
  ];
  for (const [promise, logp, rewards, group] of still) {
    it(promise, () => {
      const { loss, gradLogp } = onPolicy(logp, rewards, group);
      expect(loss).to.equal(0);
      expect(gradLogp).to.deep.equal(logp.map((row) => row.map(() => 0)));
    });
  }

  it("a group of one class still counts in the number of groups", () => {
    const alone = onPolicy([[-1], [-2]], [1, 0], [0, 0]);
    const beside = onPolicy([[-1], [-2], [-1], [-2]], [1, 0, 1, 1], [0, 0, 1, 1]);
    expect(beside.loss).to.be.closeTo(alone.loss / 2, 1e-12);
    expect(beside.observed["disco.twoClassFraction"]![0]).to.equal(0.5);
  });

  it("one right response of eight pushes as hard as seven of eight", () => {
    const logp = Array.from({ length: 8 }, () => [-1]);
    const group = logp.map(() => 0);
    const push = (right: number) => {
      const { gradLogp } = onPolicy(
        logp,
        logp.map((_, i) => Number(i < right)),
        group,
      );
      return gradLogp.reduce((sum, [g], i) => sum + (i < right ? -g! : 0), 0);
    };
    expect(push(1)).to.be.closeTo(push(7), 1e-12);
  });

  it("the negative that scores highest is pushed down hardest; with the basic variant all alike", () => {
    const push = (variant: string) => onPolicy([[-1], [-0.5], [-3]], [1, 0, 0], [0, 0, 0], { variant, tau: 1 }).gradLogp.map(([g]) => g!);
    const [, high, low] = push("dro");
    expect(high! / low!).to.be.closeTo(Math.exp(2.5), 1e-9);
    expect(push("basic").slice(1)).to.deep.equal([0.5, 0.5]);
  });

  it("the log-mean-exp stands scores that differ by hundreds of temperatures", () => {
    const { loss, gradLogp } = onPolicy([[-900], [-1], [-2000]], [1, 0, 0], [0, 0, 0], { tau: 1 });
    expect(loss).to.be.closeTo(899 - Math.log(2), 1e-9);
    expect(gradLogp).to.deep.equal([[-1], [1], [0]]);
  });

  it("tau defaults to 10 for log-likelihoods and to 1 for likelihood ratios", () => {
    const logp = [[-0.5], [-0.1], [-2]];
    const oldLogp = [[-0.6], [-0.2], [-1.5]];
    const loss = (options: Options) => runTerms({ component: DiscoObjective, options }, { logp, oldLogp, rewards: [1, 0, 0] }).loss;
    expect(loss({})).to.equal(loss({ tau: 10 }));
    expect(loss({ score: "likelihoodRatio" })).to.equal(loss({ score: "likelihoodRatio", tau: 1 }));
  });

  it("positiveThreshold decides what counts as right", () => {
    expect(onPolicy([[-1], [-2]], [0.6, 0.4], [0, 0]).loss).to.equal(0);
    expect(onPolicy([[-1], [-2]], [0.6, 0.4], [0, 0], { positiveThreshold: 0.5 }).loss).to.be.closeTo(-1, 1e-12);
  });

  it("the hinge is off up to the budget and quadratic beyond it", () => {
    const loss = (shift: number, delta: number) =>
      runTerms({ component: DiscoObjective, options: { delta, beta: 2 } }, { logp: [[-1 + shift]], oldLogp: [[-1]], rewards: [1] }).loss;
    const kl = Math.expm1(0.3) - 0.3;
    expect(loss(0.3, kl * 1.01)).to.equal(0);
    expect(loss(0.3, kl / 2)).to.be.closeTo((kl / 2) ** 2, 1e-12);
  });
});
