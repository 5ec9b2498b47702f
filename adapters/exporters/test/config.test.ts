import { describeRun, resolveConfig } from "@proximal/core";
import { expect } from "chai";

const BASE = { algorithm: "grpo", model: { checkpoint: "m" }, data: { train: "a.jsonl" }, rewards: [{ use: "exact-match" }] };

describe("the section exporters", () => {
  it("takes several, names equal ones apart, and stands in the header and the resolved config", () => {
    const config = resolveConfig({
      ...BASE,
      exporters: [{ use: "csv" }, { use: "csv", file: "/t/x.csv" }, { use: "mlflow", url: "http://h:1", accessToken: "env:T" }],
    });
    expect(config.exporters.map(({ name }) => name)).to.deep.equal(["csv", "csv-2", "mlflow"]);
    expect(describeRun(config).join("\n")).to.match(/exporter {4}mlflow {2}\(config\): .*accessToken env:T/);
    expect(config.config.exporters).to.deep.include({ use: "csv", file: "/t/x.csv" });
  });

  const mistakes: [what: string, exporter: object, ...texts: string[]][] = [
    ["a misspelt exporter", { use: "tensorbord" }, "exporters[0].use", 'did you mean "tensorboard"?'],
    ["a misspelt option", { use: "mlflow", url: "http://h", experimnt: "x" }, 'unknown key "experimnt"', 'did you mean "experiment"?'],
    ["a missing address", { use: "mlflow" }, "exporters[0]", "url"],
    ["a secret in the config", { use: "mlflow", url: "http://h", accessToken: "hunter2" }, "a secret does not belong into a config"],
  ];
  for (const [what, exporter, ...texts] of mistakes) {
    it(`refuses ${what}`, () => {
      const refuse = () => resolveConfig({ ...BASE, exporters: [exporter] });
      for (const text of texts) expect(message(refuse)).to.include(text);
      expect(message(refuse)).not.to.include("hunter2");
    });
  }
});

function message(run: () => unknown): string {
  try {
    run();
    return "";
  } catch (error) {
    return (error as { describe(): string }).describe();
  }
}
