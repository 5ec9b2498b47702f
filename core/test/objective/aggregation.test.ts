import { expect } from "chai";
import {
  type Aggregation,
  aggregationKey,
  aggregationWeights,
  type Context,
  evaluateProgram,
  type LossComponent,
  ObjectiveProgram,
  type Term,
} from "../../src/index.js";
import { randomBatch } from "../../src/testing/index.js";

const program = (terms: (context: Context) => Term, options: { aggregation?: Aggregation; maxTokens?: number } = {}) =>
  new ObjectiveProgram([{ id: "probe", component: { terms } as LossComponent, coefficient: 1, stepShapes: {} }], {
    aggregation: "token-mean",
    ...options,
  });

describe("Aggregation", () => {
  const batch = randomBatch(3).with({ truncated: [0, 1, 0, 0, 1, 0] });

  it("leaves rows of the `without` column out of the sum and of every denominator", () => {
    for (const aggregation of ["token-mean", "seq-mean-token-mean", "seq-mean-token-sum", "token-sum"] as const) {
      const left = program(({ ratio }) => ({ value: ratio, aggregation, without: "truncated" }));
      const kept = program(({ ratio }) => ({ value: ratio, aggregation }));
      expect([...left.columns]).to.include("truncated");
      const outcome = evaluateProgram(left, batch, {});
      expect(outcome.loss).to.be.closeTo(evaluateProgram(kept, batch.select([0, 2, 3, 5]), {}).loss, 1e-12);
      expect(outcome.gradLogp[1]).to.deep.equal([0, 0, 0, 0, 0]);
    }
  });

  it("gives 0 when everything is left out", () => {
    const left = program(({ ratio }) => ({ value: ratio, without: "truncated" }));
    expect(evaluateProgram(left, batch.with({ truncated: [1, 1, 1, 1, 1, 1] }), {}).loss).to.equal(0);
  });

  it("refuses `without` where no tokens are weighted", () => {
    for (const aggregation of ["row-mean", "scalar"] as const) {
      const build = () => program((c) => ({ value: c.sequenceSum(c.logp), aggregation, without: "truncated" }));
      expect(build).to.throw('cannot have the aggregation "');
    }
  });

  it("divides a fixed-length mean by the run's longest response unless it names a length", () => {
    const sum = program(({ ratio }) => ({ value: ratio, aggregation: "seq-mean-token-sum" }));
    const fixed = (aggregation: Aggregation) => program(({ ratio }) => ({ value: ratio, aggregation }), { maxTokens: 16 });
    const loss = evaluateProgram(sum, batch, {}).loss;
    expect(evaluateProgram(fixed("seq-mean-token-sum-norm"), batch, {}).loss).to.be.closeTo(loss / 16, 1e-12);
    const named = { kind: "seq-mean-token-sum-norm", fixedLength: 5 } as const;
    expect(evaluateProgram(fixed(named), batch, {}).loss).to.be.closeTo(loss / 5, 1e-12);
  });

  it("weighs prompts alike under prompt-mean, whatever the lengths of their responses, and leaves out those without a token", () => {
    // Groups 4 (2 + 1 tokens), 9 (1 token) and 2 (none): 1/2 of the loss each for the first two.
    const weights = aggregationWeights("prompt-mean", [1, 1, 1, 0, 1], [0, 2, 2, 4, 5], [4, 2, 4, 9]);
    expect([...weights]).to.deep.equal([1 / 6, 1 / 6, 1 / 6, 0, 1 / 2]);
  });

  const keys: [aggregation: Aggregation, facts: { maxTokens?: number; without?: string }, key: string][] = [
    ["token-mean", { maxTokens: 9 }, "token-mean"],
    ["seq-mean-token-sum-norm", { maxTokens: 9 }, "seq-mean-token-sum-norm/9"],
    [{ kind: "seq-mean-token-sum-norm", fixedLength: 4 }, { maxTokens: 9, without: "hinted" }, "seq-mean-token-sum-norm/4!hinted"],
    [{ kind: "otm", fixedLength: 4 }, {}, "otm"],
  ];
  for (const [aggregation, facts, key] of keys) {
    it(`feeds the weights of ${key} under that name`, () => expect(aggregationKey(aggregation, facts)).to.equal(key));
  }
});
