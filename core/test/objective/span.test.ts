import { expect } from "chai";
import { type Context, type LossComponent, ObjectiveProgram, type Span, type Term, where } from "../../src/index.js";

function spanOfTerm(terms: (context: Context) => Term): Span {
  const component: LossComponent = { terms };
  return new ObjectiveProgram([{ id: "loss", component, coefficient: 1, stepShapes: {} }], { aggregation: "token-mean" }).span;
}

const scalar = (value: Term["value"]): Term => ({ value, aggregation: "scalar" });

describe("What an update may split", () => {
  const cases: [promise: string, terms: (context: Context) => Term, span: Span][] = [
    ["a token's own loss", ({ ratio }) => ({ value: ratio }), "token"],
    ["rows, where tokens of a row meet", ({ sequenceRatio }) => ({ value: sequenceRatio }), "row"],
    ["groups, where rows meet the sum of their group", (c) => ({ value: c.groupSum(c.sequenceSum(c.logp)).exp() }), "group"],
    ["groups, where rows meet the largest of their group", (c) => ({ value: c.groupMax(c.sequenceSum(c.logp)).exp() }), "group"],
    [
      "groups, where rows meet each other in pairs",
      (c) => {
        const score = c.sequenceMean(c.logp);
        return scalar(score.sub(c.groupPeers(score)).softplus().sum());
      },
      "group",
    ],
    [
      "nothing, where rows of different groups meet in pairs",
      (c) => {
        const score = c.sequenceMean(c.logp);
        return scalar(
          score
            .sub(score.transpose([1, 0]))
            .softplus()
            .sum(),
        );
      },
      "batch",
    ],
    ["nothing, where rows meet those of an equal column", (c) => ({ value: c.sumBy("domain", c.sequenceSum(c.logp)).exp() }), "batch"],
    ["nothing, where the batch's mean is squared", (c) => scalar(c.batchMean(c.logp).square()), "batch"],
    [
      "tokens again, where the data choose between two sums over the update",
      (c) => scalar(where(c.groups.greater(1), c.batchSum(c.ratio), c.batchSum(c.logp))),
      "token",
    ],
    [
      "groups, where a statistic of rewards over the group is all that joins rows",
      (c) => ({ value: c.ratio.mul(c.groupMean(c.rewards)) }),
      "group",
    ],
    ["nothing, where one of advantages over the batch is", (c) => ({ value: c.ratio.mul(c.batchSum(c.advantages)) }), "batch"],
    ["nothing, where the number of tokens is counted in the graph", (c) => ({ value: c.ratio.sub(c.batchMean(c.ratio)) }), "batch"],
    [
      "tokens again, where a sum over the update is divided by a number of the host",
      (c) => scalar(c.batchSum(c.ratio).div(c.updateNumber("rows", (b) => b.rows))),
      "token",
    ],
  ];
  for (const [promise, terms, span] of cases) {
    it(`is ${promise}`, () => expect(spanOfTerm(terms)).to.equal(span));
  }
});
