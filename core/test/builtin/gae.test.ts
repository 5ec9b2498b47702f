import { expect } from "chai";
import { generalizedAdvantages } from "../../src/builtin/index.js";

const rewards = [0.1, -0.2, 1, 0.5, 0];
const values = [0.4, -0.3, 0.6, 0.2, 0.9];
const rows = { rewards, values, mask: [1, 1, 1, 1, 1], offsets: [0, 3, 3, 5] };

describe("generalised advantage estimation", () => {
  it("is reward-to-go minus value at γ = λ = 1, row by row", () => {
    const togo = [0.9, 0.8, 1, 0.5, 0];
    for (const [t, a] of generalizedAdvantages(rows, 1, 1).entries()) expect(a).to.be.closeTo(togo[t]! - values[t]!, 1e-15);
  });

  it("is the one-step error at λ = 0", () => {
    const deltas = [0.1 + 0.9 * -0.3 - 0.4, -0.2 + 0.9 * 0.6 + 0.3, 1 - 0.6, 0.5 + 0.9 * 0.9 - 0.2, -0.9];
    for (const [t, a] of generalizedAdvantages(rows, 0.9, 0).entries()) expect(a).to.be.closeTo(deltas[t]!, 1e-15);
  });

  it("steps over tokens that the policy did not choose, whatever they hold", () => {
    const spread = {
      rewards: [0.1, Number.NaN, -0.2, 1, Number.NaN],
      values: [0.4, Number.NaN, -0.3, 0.6, Number.NaN],
      mask: [1, 0, 1, 1, 0],
      offsets: [0, 5],
    };
    const [a, b, c] = generalizedAdvantages({ ...rows, offsets: [0, 3] }, 0.9, 0.8);
    expect([...generalizedAdvantages(spread, 0.9, 0.8)]).to.deep.equal([a, 0, b, c, 0]);
  });
});
