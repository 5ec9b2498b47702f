import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type RunSummary, resolveConfig, resume, train } from "@proximal/core";
import { expect } from "chai";

const root = fileURLToPath(new URL("../..", import.meta.url));
const node = (...given: string[]) => promisify(execFile)(process.execPath, given, { cwd: root });

describe("the default job", function () {
  this.timeout(300000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "proximal-quickstart-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const configOf = (...set: string[]) =>
    resolveConfig("examples/quickstart.yaml", {
      cwd: root,
      set: ["sampler.promptsPerStep=4", "evaluation.limit=20", "trainer.steps=4", ...set],
    });
  const metricsOf = (run: string): string =>
    readFileSync(join(folder, run, "metrics.jsonl"), "utf8").replaceAll(/"(seconds\w*|rss\w*|time\w*|\w*PerSecond)":[^,}]+,?/g, "");
  const modelOf = (run: string): Buffer => readFileSync(join(folder, run, "model", "model.safetensors"));

  it("gives the same metrics and the same model for the same seed, and others for another", async () => {
    for (const [name, seed] of [
      ["a", 1],
      ["b", 1],
      ["c", 2],
    ] as const)
      await train(configOf(`seed=${seed}`), { output: join(folder, name) });
    expect(metricsOf("b")).to.equal(metricsOf("a"));
    expect(modelOf("b").equals(modelOf("a"))).to.equal(true);
    expect(metricsOf("c")).to.not.equal(metricsOf("a"));
  });

  it("continues after a stop with the same metrics and ends with the same model", async () => {
    const config = configOf("trainer.checkpointEvery=1");
    await train(config, { output: join(folder, "whole") });
    const stop = new AbortController();
    const onEvent = (event: { type: string }) => event.type === "step" && stop.abort();
    expect(await train(config, { output: join(folder, "stopped"), signal: stop.signal, onEvent })).to.equal(null);
    await resume(join(folder, "stopped"));
    expect(metricsOf("stopped")).to.equal(metricsOf("whole"));
    expect(modelOf("stopped").equals(modelOf("whole"))).to.equal(true);
  });

  it("leaves a whole run folder from the command line", async () => {
    const out = join(folder, "cli");
    const sets = ["trainer.steps=2", "trainer.checkpointEvery=1", "evaluation.limit=10"].flatMap((set) => ["--set", set]);
    await node("core/dist/src/cli/main.js", "train", "examples/quickstart.yaml", "--out", out, ...sets);
    expect(readdirSync(out)).to.include.members(["config.json", "metrics.jsonl", "rollouts", "checkpoints", "model", "summary.json"]);
    expect(readdirSync(join(out, "checkpoints")).sort()).to.deep.equal(["best", "step-1", "step-2"]);
    const summary = JSON.parse(readFileSync(join(out, "summary.json"), "utf8")) as RunSummary;
    for (const name of ["evalAccuracyStart", "evalAccuracyEnd", "rewardStart", "rewardEnd", "seconds", "tokensPerSecond"] as const) {
      expect(summary[name], name).to.be.a("number");
    }
    const { stdout } = await node("core/dist/src/cli/main.js", "generate", out, "12+34=", "--greedy");
    expect(stdout).to.match(/^12\+34=\d+\n$/);
  });

  it("is a library call of a few lines", async () => {
    const { stdout } = await node("examples/dist/library.js", "2", join(folder, "library"));
    expect(stdout).to.match(/held-out accuracy 0\.\d+, 95 % interval 0\.\d+,0\.\d+\n47\+85=\d+\n$/);
    const source = readFileSync(join(root, "examples/library.ts"), "utf8");
    expect(source.trim().split("\n").length).to.be.at.most(25);
  });
});
