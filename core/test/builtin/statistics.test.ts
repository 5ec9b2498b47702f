import { expect } from "chai";
import { KL_ESTIMATORS, klEstimate, klEstimateOf, statistics } from "../../src/builtin/index.js";
import { constant, evaluate } from "../../src/tensor/index.js";

const { mean, std, whiten } = statistics;

describe("whitening", () => {
  const values = Float64Array.of(3, -1, 2, 7);

  it("gives mean 0 and sample variance 1", () => {
    const white = whiten(values, [1, 1, 1, 1], 0);
    expect(mean(white)).to.be.closeTo(0, 1e-15);
    expect(std(white, 1)).to.be.closeTo(1, 1e-15);
  });

  it("takes its statistics from the entries that count, as often as they count", () => {
    const repeated = whiten(Float64Array.of(3, 3, 2), [1, 1, 1]);
    const counted = whiten(Float64Array.of(3, Number.NaN, 2), [2, 0, 1]);
    expect(counted[0]).to.be.closeTo(repeated[0]!, 1e-15);
    expect(counted[2]).to.be.closeTo(repeated[2]!, 1e-15);
  });

  it("leaves a single number as it is and makes equal numbers 0", () => {
    expect([...whiten(Float64Array.of(5), [1])]).to.deep.equal([5]);
    expect([...whiten(Float64Array.of(2, 2), [1, 1])]).to.deep.equal([0, 0]);
  });
});

describe("rounding half to even", () => {
  const table: [x: number, nearest: number][] = [
    [2.5, 2],
    [3.5, 4],
    [-0.5, 0],
    [-1.5, -2],
    [0.49999999999999994, 0],
    [7.500000000000001, 8],
    [12, 12],
  ];
  for (const [x, nearest] of table) it(`makes ${x} ${nearest}`, () => expect(statistics.roundHalfEven(x) + 0).to.equal(nearest));
});

describe("KL estimates on numbers", () => {
  for (const estimator of KL_ESTIMATORS) {
    it(`${estimator} is that of the loss`, () => {
      for (const [logp, anchor] of [
        [-0.3, -1.2],
        [-2, -0.1],
        [-1e4, -1],
      ] as const) {
        const [inLoss] = evaluate([klEstimate(estimator, constant(logp), constant(anchor))], {});
        expect(klEstimateOf(estimator, logp, anchor)).to.equal(inLoss!.data[0]);
      }
    });
  }
});
