import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { instantiate } from "@proximal/core";
import { expect } from "chai";
import { CsvExporter } from "../src/index.js";
import { recordOf, runIn, temporaryFolder } from "./fixture.js";

describe("the CSV exporter", () => {
  let root: string;
  beforeEach(() => {
    root = temporaryFolder();
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const lines = (file: string) => readFileSync(file, "utf8").trimEnd().split("\n");
  const stamp = (step: number) => `2026-01-02T03:04:${String(5 + step).padStart(2, "0")}.000Z`;

  it("writes a row a step, leaves out what does not exist, and adds a column when a metric first shows up", () => {
    const csv = instantiate(CsvExporter);
    csv.open(runIn(root));
    csv.write([recordOf(1), recordOf(2)]);
    csv.write([recordOf(3, { "eval.accuracy": 0.5, 'odd,"name': 1 })]);
    csv.write([recordOf(4)]);
    expect(lines(join(root, "exports", "metrics.csv"))).to.deep.equal([
      'step,timestamp,reward,eval.accuracy,"odd,""name"',
      `1,${stamp(1)},0.125,,`,
      `2,${stamp(2)},0.25,,`,
      `3,${stamp(3)},0.375,0.5,1`,
      `4,${stamp(4)},0.5,,`,
    ]);
  });

  it("cuts the rows that a continued run repeats, and keeps the others as they are", () => {
    const first = instantiate(CsvExporter);
    first.open(runIn(root));
    first.write([recordOf(1, { 'odd,"name': 1 }), recordOf(2), recordOf(3)]);
    const second = instantiate(CsvExporter);
    second.open(runIn(root, 2));
    second.write([recordOf(3, { reward: 9 })]);
    expect(lines(join(root, "exports", "metrics.csv"))).to.deep.equal([
      'step,timestamp,reward,"odd,""name"',
      `1,${stamp(1)},0.125,1`,
      `2,${stamp(2)},0.25,`,
      `3,${stamp(3)},9,`,
    ]);
  });

  it("starts over with a new run, in the file that is asked for", () => {
    const file = join(root, "table.csv");
    for (const value of [1, 2]) {
      const csv = instantiate(CsvExporter, { file });
      csv.open(runIn(root));
      csv.write([recordOf(1, { reward: value })]);
    }
    expect(lines(file)).to.deep.equal(["step,timestamp,reward", `1,${stamp(1)},2`]);
  });
});
