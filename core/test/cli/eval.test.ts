import { expect } from "chai";
import { describeEvaluation } from "../../src/cli/commands/eval.js";
import type { EvaluationReport } from "../../src/index.js";

const report = (accuracy: number, over: Partial<EvaluationReport> = {}): EvaluationReport => ({
  overall: { problems: 40, accuracy, length: 12.25 },
  intervals: { accuracy: [accuracy - 0.1, accuracy + 0.1], length: [11, 13.5] },
  groups: {},
  groupIntervals: {},
  problems: [],
  how: "greedy",
  contamination: null,
  ...over,
});
const grouped = (accuracy: number) =>
  report(accuracy, {
    groups: { "1": { problems: 30, accuracy }, "10": { problems: 10, accuracy: 0 } },
    groupIntervals: { "1": { accuracy: [0.2, 0.6] }, "10": { accuracy: [0, 0.3085] } },
  });

describe("tables of an evaluation", () => {
  it("show each metric with its interval", () => {
    expect(describeEvaluation({ target: "runs/a", report: report(0.5) })).to.deep.equal([
      "runs/a: 40 problems, greedy; 95 % intervals over problems in brackets",
      "          value",
      "accuracy  0.500 [0.400, 0.600]",
      "length    12.25 [11.00, 13.50]",
    ]);
  });

  it("warn of problems that the policy was trained on", () => {
    const examples = [{ held: "e.jsonl line 1", train: "t.jsonl line 4" }];
    const lines = describeEvaluation({
      target: "runs/a",
      report: report(0.5, { contamination: { checked: 40, exact: 1, overlapping: 0, examples } }),
    });
    expect(lines[1]).to.equal(
      "warning: 1 of 40 held-out prompts stand in the training data (1 word for word); e.g. e.jsonl line 1 = t.jsonl line 4",
    );
    const clean = describeEvaluation({
      target: "runs/a",
      report: report(0.5, { contamination: { checked: 40, exact: 0, overlapping: 0, examples: [] } }),
    });
    expect(clean.filter((line) => line.startsWith("warning"))).to.deep.equal([]);
  });

  it("show before, after and their difference, and the groups below", () => {
    const difference = { metrics: { accuracy: 0.25, length: -1 }, intervals: { accuracy: [0.1, 0.4], length: [-2, 0.5] } } as const;
    expect(
      describeEvaluation({
        target: "runs/a",
        report: grouped(0.5),
        by: "level",
        before: { target: "a.yaml", report: grouped(0.25), difference },
      }),
    ).to.deep.equal([
      "runs/a, against a.yaml: 40 problems, greedy; 95 % intervals over problems in brackets",
      "          before                after                 difference",
      "accuracy  0.250 [0.150, 0.350]  0.500 [0.400, 0.600]  +0.250 [+0.100, +0.400]",
      "length    12.25 [11.00, 13.50]  12.25 [11.00, 13.50]  -1.00 [-2.00, +0.50]",
      "",
      "          problems  accuracy before       accuracy after",
      "level 1   30        0.250 [0.200, 0.600]  0.500 [0.200, 0.600]",
      "level 10  10        0.000 [0.000, 0.308]  0.000 [0.000, 0.308]",
    ]);
  });
});
