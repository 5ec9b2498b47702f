import { expect } from "chai";
import { ConfigError } from "../../src/errors.js";
import { describeRun } from "../../src/registry/describe.js";
import { resolveConfig } from "../../src/registry/resolve.js";
import { checkTrainingSampling } from "../../src/registry/sampling.js";
import { type Sandbox, softProject } from "./sandbox.js";

describe("sampling options of a run", () => {
  let project: Sandbox;
  before(async () => {
    project = await softProject();
  });
  after(() => project.remove());
  const resolved = (sampling: object) =>
    resolveConfig({ algorithm: "soft", model: { checkpoint: "m" }, data: { train: "a" }, sampling }, { cwd: project.folder });

  for (const [promise, sampling, note] of [
    ["that draw from the whole distribution need no note", { temperature: 0.7, stopStrings: ["\n"] }, undefined],
    ["that cut off the tail say what log-probs are", { topP: 0.9, minP: 0.1 }, "ratios start at 1, though topP, minP cut off its tail"],
  ] as const) {
    it(promise, () => {
      const lines = describeRun(resolved(sampling)).filter((line) => line.includes("log-probs"));
      expect(lines.map((line) => line.split(": ")[1])).to.deep.equal(note === undefined ? [] : [note]);
    });
  }

  it("refuse to train on samples that a repetition penalty shaped", () => {
    expect(() => checkTrainingSampling(resolved({ repetitionPenalty: 1.1 }))).to.throw(ConfigError, "repetition penalty");
    expect(() => checkTrainingSampling(resolved({ topK: 5 }))).not.to.throw();
  });
});
