import { KlRegularizer, type Options, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { RegressionObjective } from "../src/index.js";

testVectors(new URL("../../vectors/reg-grpo.json", import.meta.url), conformance);

testTerms("RegressionObjective", { component: RegressionObjective });
testTerms("RegressionObjective, length-normalised, with a KL term", [
  { component: RegressionObjective, options: { lengthNormalize: true, stdEps: 0.1 } },
  { component: KlRegularizer, options: { aggregation: "seq-mean-token-mean" }, coefficient: 0.04 },
]);

/** One-token responses with log-ratios `rho`. */
const responses = (rho: number[], advantages: number[], group = rho.map(() => 0)) => ({
  logp: rho.map((x) => [x - 3]),
  oldLogp: rho.map(() => [-3]),
  advantages,
  group,
});
const run = (inputs: ReturnType<typeof responses>, options: Options = {}) => runTerms({ component: RegressionObjective, options }, inputs);
const flat = (rows: number[][]) => rows.flat();

describe("Reg-GRPO's regression", () => {
  it("is at its minimum where the normalised log-ratios are the advantages", () => {
    const { loss, gradLogp } = run(responses([0.2, -0.1, -0.1], [2 / Math.sqrt(3), -1 / Math.sqrt(3), -1 / Math.sqrt(3)]), {
      stdEps: 1e-12,
    });
    expect(loss).to.be.below(1e-20);
    for (const g of flat(gradLogp)) expect(Math.abs(g)).to.be.below(1e-9);
  });

  it("starts, on-policy, with the advantage over stdEps", () => {
    const { gradLogp } = run(responses([0, 0], [1, -1]), { stdEps: 0.5 });
    expect(flat(gradLogp)).to.deep.equal([-2, 2]);
  });

  it("pulls the log-ratios of a group without advantage together", () => {
    const { gradLogp } = run(responses([0.3, -0.3], [0, 0]), { stdEps: 1 });
    expect(gradLogp[0]![0]).to.be.above(0);
    expect(gradLogp[1]![0]).to.be.below(0);
  });

  it("leaves a response without siblings out of loss, gradient and count", () => {
    const pair = run(responses([0.3, -0.1], [1, -1]));
    const more = run(responses([0.3, -0.1, 0.7], [1, -1, 5], [4, 4, 9]));
    expect(more.loss).to.equal(pair.loss);
    expect(flat(more.gradLogp)).to.deep.equal([...flat(pair.gradLogp), 0]);
  });

  it("gives 0 where no response has a sibling", () => {
    const { loss, gradLogp } = run(responses([0.3, -0.1], [1, -1], [0, 1]));
    expect([loss, ...flat(gradLogp)]).to.deep.equal([0, 0, 0]);
  });

  it("orders the log-ratios of a fixed batch like the advantages by gradient descent", () => {
    const advantages = [1.1, -0.7, 0.3, -0.7];
    let rho = [0, 0, 0, 0];
    for (let step = 0; step < 60; step++) {
      const { gradLogp } = run(responses(rho, advantages), { stdEps: 0.1 });
      rho = rho.map((x, i) => x - 0.2 * gradLogp[i]![0]!);
    }
    const order = (values: number[]) => values.map((_, i) => i).sort((a, b) => values[b]! - values[a]! || a - b);
    expect(order(rho.map((x) => Math.round(x * 1e6)))).to.deep.equal(order(advantages));
    expect(run(responses(rho, advantages), { stdEps: 0.1 }).loss).to.be.below(0.05);
  });
});
