import { type Options, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { DrpoGate } from "../src/index.js";

testVectors(new URL("../../vectors/drpo.json", import.meta.url), conformance);

testTerms("DrpoGate", { component: DrpoGate, options: { maxLength: 8, tau: 0.7 } });
testTerms("DrpoGate, inside the KL target", { component: DrpoGate, options: { maxLength: 8, klTarget: 100 } });
testTerms("DrpoGate, k3", { component: DrpoGate, options: { maxLength: 8, klEstimator: "k3", klCoef: 2 } });

interface Outcome {
  loss: number;
  gradLogp: number[][];
  weights: number[];
  kl: number;
}

const run = async (inputs: object, options: Options = {}) =>
  (await conformance.gate!({ maxLength: 8, ...options }, inputs as Record<string, unknown>)) as Outcome;

/** Responses of the given lengths, on-policy, log-prob -1 a token. */
function responses(lengths: number[], rewards: number[], group = lengths.map(() => 0)) {
  const logp = lengths.map((n) => new Array<number>(n).fill(-1));
  return { logp, oldLogp: logp, rewards, group };
}

describe("DRPO's weights", () => {
  const cases: [promise: string, lengths: number[], rewards: number[], options: Options, weights: number[]][] = [
    ["are equal for equal lengths", [2, 2, 3], [1, 1, 0], {}, [0.5, 0.5, 1]],
    ["are equal for all lengths without a length temperature", [1, 7, 3], [1, 1, 0], { lengthTemperature: null }, [0.5, 0.5, 1]],
    ["follow exp(length reward / λ)", [1, 5, 3], [1, 1, 0], { lengthTemperature: 0.5 }, [Math.E / (Math.E + 1), 1 / (Math.E + 1), 1]],
    ["are 0 without a wrong response", [2, 3], [1, 1], {}, [0, 0]],
    ["are 0 without a correct response", [2, 3], [0, 0], {}, [0, 0]],
    ["are 0 for rewards other than 0 and 1", [2, 3, 2], [1, 0.5, 0], {}, [1, 0, 1]],
    ["are 0 for a response without tokens", [2, 0, 2, 0], [1, 1, 0, 0], {}, [1, 0, 1, 0]],
    ["stay finite for lengths far beyond the budget", [800, 9000, 3], [1, 1, 0], { lengthTemperature: 1e-3 }, [1, 0, 1]],
  ];
  for (const [promise, lengths, rewards, options, weights] of cases) {
    it(promise, async () => {
      const result = await run(responses(lengths, rewards), options);
      result.weights.forEach((weight, i) => {
        expect(weight).to.be.closeTo(weights[i]!, 1e-12);
      });
    });
  }

  it("keep every correct response's push positive, also the longest one's", async () => {
    const { gradLogp, weights } = await run(responses([2, 4, 8, 3, 5, 2], [1, 1, 1, 0, 0, 0]));
    expect(Math.min(...weights)).to.be.above(0);
    for (const row of gradLogp.slice(0, 3)) expect(Math.max(...row)).to.be.below(0);
  });
});

describe("DRPO's loss", () => {
  it("counts prompts without both classes in its denominator", async () => {
    const one = responses([2, 3], [1, 0]);
    const two = responses([2, 3, 4], [1, 0, 1], [5, 5, 2]);
    expect((await run(two)).gradLogp[0]![0]).to.be.closeTo((await run(one)).gradLogp[0]![0]! / 2, 1e-15);
  });

  it("is the penalty alone where no prompt has both classes", async () => {
    const inputs = { logp: [[-1.5], [-1]], oldLogp: [[-1], [-1]], rewards: [1, 1], group: [0, 0] };
    const { loss, kl } = await run(inputs, { klTarget: 0.05, klCoef: 4 });
    expect(kl).to.be.closeTo(0.25, 1e-15);
    expect(loss).to.be.closeTo(2 * 0.2 ** 2, 1e-15);
  });

  it("has no penalty for a negative estimate", async () => {
    const inputs = { logp: [[-0.5]], oldLogp: [[-1]], rewards: [1], group: [0] };
    expect(await run(inputs)).to.deep.include({ loss: 0, gradLogp: [[0]], kl: -0.5 });
    expect((await run(inputs, { klEstimator: "k3" })).kl).to.be.closeTo(-0.5 + Math.exp(0.5) - 1, 1e-15);
  });

  it("takes the run's longest response as its length budget unless told otherwise", () => {
    const inputs = responses([1, 5, 3], [1, 1, 0]);
    const weights = (options: Options, maxTokens: number) =>
      runTerms({ component: DrpoGate, options }, inputs, { run: { maxTokens } }).perToken["drpo.weight"];
    expect(weights({}, 8)).to.deep.equal(weights({ maxLength: 8 }, 99));
  });
});
