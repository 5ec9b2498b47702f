import { type Inputs, type Options, runTerms, runUpdate } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { CapoGate } from "../src/gate.js";
import { type MomentState, noMoments } from "../src/moments.js";

testVectors(new URL("../../vectors/capo.json", import.meta.url), conformance);

const facts = { learningRate: 0.1, run: { vocabularySize: 11, hiddenSize: 2 } };
const bounds = { tauF: 0.02, tauH: 0.2 };
const moments: MomentState = { ...noMoments(22), step: 3, v: new Float64Array(22).fill(0.04) };

testTerms("CapoGate, Adam's step", { component: CapoGate, options: bounds, state: moments }, facts);
testTerms("CapoGate, SGD's step, one-sided", { component: CapoGate, options: { ...bounds, optimizer: "sgd", symmetric: false } }, facts);

/** One token with three candidates, the second of them sampled; ids 4, 0, 2 of five. */
const token = (advantage: number): Inputs => ({
  logp: [[Math.log(0.3)]],
  oldLogp: [[Math.log(0.3)]],
  advantages: [advantage],
  tokens: [[0]],
  candidateTokens: [[[4, 0, 2]]],
  candidateProbs: [[[0.5, 0.3, 0.2]]],
  hidden: [[[0.6, -1.1]]],
});
const v = [-0.5, 0.7, -0.2];
const h = [0.6, -1.1];
const run = { vocabularySize: 5, hiddenSize: 2 };

const of = (inputs: Inputs, options: Options, learningRate: number) => {
  const { loss, gradLogp, perToken } = runTerms({ component: CapoGate, options }, inputs, { learningRate, run });
  const read = (name: string) => perToken[`capo.${name}`]!.flat();
  return { loss, gradLogp, mH: read("mH"), mF: read("mF"), keep: read("keep") };
};

describe("CAPO's predicted shifts", () => {
  for (const advantage of [1.5, -0.8]) {
    it(`are the change of A·ratio and half the squared change of log-prob, to third order in the learning rate (A = ${advantage})`, () => {
      const error = (learningRate: number) => {
        const { mH, mF } = of(token(advantage), { optimizer: "sgd" }, learningRate);
        const square = h[0]! ** 2 + h[1]! ** 2;
        const logits = [0.5, 0.3, 0.2].map((p, k) => Math.log(p) + learningRate * advantage * v[k]! * square);
        const shift = logits[1]! - Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0)) - Math.log(0.3);
        return [Math.abs(mH[0]! - advantage * Math.expm1(shift)), Math.abs(mF[0]! - shift ** 2 / 2)];
      };
      const [coarse, fine] = [error(0.02), error(0.01)];
      for (const [i, e] of fine.entries()) expect(coarse[i]! / e).to.be.within(7, 9);
    });
  }

  it("follow the sign of the gradient in Adam's first step", () => {
    const learningRate = 0.01;
    const slope = v.reduce((sum, x) => sum + Math.abs(x), 0) * (Math.abs(h[0]!) + Math.abs(h[1]!));
    expect(of(token(2), { adamEpsilon: 1e-12 }, learningRate).mF[0]).to.be.closeTo(0.5 * (learningRate * slope) ** 2, 1e-12);
  });

  it("count a sampled token outside the candidates in place of the last of them", () => {
    const outside = { ...token(1), tokens: [[3]], logp: [[Math.log(0.05)]], oldLogp: [[Math.log(0.05)]] };
    const inside = { ...outside, candidateTokens: [[[4, 0, 3]]], candidateProbs: [[[0.5, 0.3, 0.05]]] };
    expect(of(outside, {}, 0.1)).to.deep.equal(of(inside, {}, 0.1));
  });
});

describe("CAPO's mask", () => {
  const strict = { optimizer: "sgd", tauH: 1e-9, tauF: 1e-9 };

  for (const symmetric of [true, false]) {
    it(`keeps tokens without advantage (SGD, ${symmetric ? "symmetric" : "one-sided"})`, () => {
      expect(of(token(0), { ...strict, symmetric }, 0.1)).to.deep.include({ mH: [0], mF: [0], keep: [1] });
    });
  }

  it("one-sided, drops tokens whose objective is predicted to fall", () => {
    // A large step: for A < 0 the curvature outweighs the slope.
    const keep = (symmetric: boolean) => of(token(-1), { optimizer: "sgd", tauH: 1e6, tauF: 1e6, symmetric }, 5);
    expect(keep(true).mH[0]).to.be.lessThan(0);
    expect([keep(true).keep, keep(false).keep]).to.deep.equal([[1], [0]]);
  });

  it("averages over the kept tokens of a response, then over all responses, also those with nothing kept", () => {
    const three = {
      logp: [[-1, -1, -1], [-1], []],
      oldLogp: [[-1, -1, -1], [-1], []],
      advantages: [[0.5, 2, 0.7], [3], []],
      tokens: [[0, 0, 0], [0], []],
      candidateTokens: [[0, 1, 2].map(() => [4, 0, 2]), [[4, 0, 2]], []],
      candidateProbs: [[0, 1, 2].map(() => [0.5, 0.3, 0.2]), [[0.5, 0.3, 0.2]], []],
      hidden: [[h, h, h], [h], []],
    };
    const bound = of(token(1), { optimizer: "sgd" }, 0.1).mF[0]!;
    const { loss, gradLogp, keep } = of(three, { optimizer: "sgd", tauF: bound, tauH: 1e6 }, 0.1);
    expect(keep).to.deep.equal([1, 0, 1, 0]);
    expect(loss).to.be.closeTo(-(0.5 + 0.7) / 2 / 3, 1e-12);
    expect(gradLogp.flat().map((g) => g !== 0)).to.deep.equal([true, false, true, false]);
  });
});

describe("CAPO's moments", () => {
  const wide = { tauH: 1e6, tauF: 1e6 };

  it("follow the mean gradient of the output layer over the kept tokens", async () => {
    const { state } = await runUpdate({ component: CapoGate, options: wide }, token(2), { learningRate: 0.1, run });
    const { step, m, v: second } = state as MomentState;
    expect(step).to.equal(1);
    const expected = new Float64Array(10);
    [4, 0, 2].forEach((id, k) => {
      h.forEach((x, j) => {
        expected[id * 2 + j] = 2 * v[k]! * x;
      });
    });
    for (const [i, g] of expected.entries()) {
      expect(m[i]).to.be.closeTo(0.1 * g, 1e-12);
      expect(second[i]).to.be.closeTo(0.001 * g * g, 1e-12);
    }
  });

  it("decay when no token is kept, and stay when every update was skipped", async () => {
    const before: MomentState = { ...noMoments(10), m: new Float64Array(10).fill(1) };
    const term = { component: CapoGate, options: { tauF: 1e-12 }, state: before };
    const { state } = await runUpdate(term, token(2), { learningRate: 0.1, run });
    expect([...(state as MomentState).m]).to.deep.equal(new Array(10).fill(0.9));
    expect(new CapoGate({ ...wide } as never, run as never).afterUpdate({ observed: {}, state: before } as never)).to.equal(before);
  });

  it("carried through a copy give the same loss", async () => {
    const facts = { learningRate: 0.1, run };
    const { state } = await runUpdate({ component: CapoGate, options: wide }, token(2), facts);
    const [a, b] = [state, structuredClone(state)].map((s) => runTerms({ component: CapoGate, state: s }, token(1), facts));
    expect(a).to.deep.equal(b);
  });

  it("are not kept for SGD's step", async () => {
    const { state, observed } = await runUpdate({ component: CapoGate, options: { optimizer: "sgd" } }, token(2), { run });
    expect(state).to.deep.equal({ version: 1, step: 0, m: new Float64Array(), v: new Float64Array() });
    expect(observed).not.to.have.property("rowGradient");
  });
});

describe("CAPO's conformance map", () => {
  it("takes responses without any token, whatever moments are carried", async () => {
    const empty = [[], []];
    const inputs = {
      logp: empty,
      oldLogp: empty,
      advantages: [1, -1],
      candidateProbs: empty,
      candidateIndex: empty,
      candidateTokens: empty,
      hidden: empty,
      learningRate: 0.1,
      state: { step: 1, m: { "3": [0.1, 0.2] }, v: { "3": [0.1, 0.2] } },
    };
    const { loss, gradLogp, keep } = (await conformance.gate!({}, inputs)) as Record<string, unknown>;
    expect([loss, gradLogp, keep]).to.deep.equal([0, empty, empty]);
  });
});
