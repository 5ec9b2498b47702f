import { expect } from "chai";
import { type ColumnReference, readsUnder } from "../../src/index.js";

describe("Columns that depend on options", () => {
  const reads: ColumnReference[] = [
    "rewards",
    { name: "refLogp", unless: { klCoef: 0 } },
    { name: "entropy", unless: { mix: "a", on: false } },
  ];
  const names = (options: Record<string, unknown>) => readsUnder(reads, options).map((r) => (typeof r === "string" ? r : r.name));
  const cases: [title: string, options: Record<string, unknown>, names: string[]][] = [
    [
      "a column is read unless all named options have the given values",
      { klCoef: 0.1, mix: "a", on: true },
      ["rewards", "refLogp", "entropy"],
    ],
    ["it is not read when they have", { klCoef: 0, mix: "a", on: false }, ["rewards"]],
    ["an option that is not set has no value", {}, ["rewards", "refLogp", "entropy"]],
  ];
  for (const [title, options, expected] of cases) it(title, () => expect(names(options)).to.deep.equal(expected));
});
