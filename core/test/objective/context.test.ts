import { expect } from "chai";
import { type Context, evaluateProgram, type LossComponent, ObjectiveProgram, type Term } from "../../src/index.js";
import { randomBatch } from "../../src/testing/index.js";

const batch = randomBatch(3, {
  lengths: [2, 3, 1, 2],
  group: [0, 1, 0, 2],
  extra: { domain: ["b", "a", "b", "b"], rewards: [1, 10, 100, 1000] },
});

/** [rows] what `quantity` is in rows of the batch, as a run would evaluate it. */
function observed(quantity: (context: Context) => Term["value"], rows?: number[]): number[] {
  const component: LossComponent = { terms: (c) => ({ value: c.logp, observe: { quantity: quantity(c) } }) };
  const program = new ObjectiveProgram([{ id: "loss", component, coefficient: 1, stepShapes: {} }], { aggregation: "token-mean" });
  return [...evaluateProgram(program, batch, {}, { rows }).observed["loss.quantity"]!];
}

describe("Quantities of a loss", () => {
  const cases: [promise: string, quantity: (context: Context) => Term["value"], rows: number[] | undefined, values: number[]][] = [
    ["peers of a group, 0 for rows of another", (c) => c.groupPeers(c.rewards).sum(1), undefined, [101, 10, 101, 1000]],
    ["sums over rows of equal text", (c) => c.sumBy("domain", c.rewards), undefined, [1101, 10, 1101, 1101]],
    ["sums over rows of equal text among the rows given", (c) => c.sumBy("domain", c.rewards), [0, 1, 2], [101, 10, 101]],
    ["a number of the whole update", (c) => c.updateNumber("rows", (update) => update.rows), undefined, [4]],
    ["the same number in a part of the update", (c) => c.updateNumber("rows", (update) => update.rows), [1], [4]],
  ];
  for (const [promise, quantity, rows, values] of cases) {
    it(`gives ${promise}`, () => expect(observed(quantity, rows)).to.deep.equal(values));
  }
});
