import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import {
  type EvaluationReport,
  evaluatePolicy,
  generate,
  openTarget,
  type RunSummary,
  resolveConfig,
  resume,
  sft,
  train,
  UsageError,
} from "../../src/index.js";
import { TABLE_ENGINE } from "../doubles/table-engine.js";
import { Sandbox } from "../registry/sandbox.js";

const MAIN = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
describe("run commands", function () {
  this.timeout(60000);
  const sandbox = new Sandbox();
  after(() => sandbox.remove());

  before(async () => {
    await sandbox.install("@proximal/table", TABLE_ENGINE);
    const sums = Array.from({ length: 10 }, (_, i) => ({ prompt: `${i}+1=`, answer: `${i + 1}`, level: i % 2 }));
    sandbox.write("data/sums.jsonl", sums.map((record) => `${JSON.stringify(record)}\n`).join(""));
    sandbox.write("run.yaml", config("steps: 6, checkpointEvery: 2"));
    sandbox.write("slow.yaml", config("steps: 200, checkpointEvery: 1").replace("use: table", "use: table\n  delay: 30"));
  });

  const config = (trainer: string) => `
model:
  alphabet: "0123456789+="
engine:
  use: table
data: { train: data/sums.jsonl, evalFraction: 0.2 }
sampling: { maxTokens: 3 }
sampler: { use: independent, groupSize: 4, promptsPerStep: 4 }
rewards: [{ use: exact-match }]
advantage: { use: group-normalized }
gate: { use: clip }
regularizers: [{ use: kl, coefficient: 0.01 }]
optimizer: { learningRate: 0.3 }
trainer: { ${trainer} }
sft: { steps: 60, batchSize: 8 }
`;

  const proximal = (...given: string[]): ChildProcess & { done: Promise<{ status: number | null; out: string; err: string }> } => {
    const child = spawn(process.execPath, [MAIN, ...given], { cwd: sandbox.folder });
    let [out, err] = ["", ""];
    child.stdout.on("data", (part: Buffer) => (out += part.toString()));
    child.stderr.on("data", (part: Buffer) => (err += part.toString()));
    const done = new Promise<{ status: number | null; out: string; err: string }>((finish) => {
      child.on("close", (status) => finish({ status, out, err }));
    });
    return Object.assign(child, { done });
  };
  const withoutTime = (folder: string): string =>
    readFileSync(sandbox.path(folder, "metrics.jsonl"), "utf8").replaceAll(/"(seconds\w*|rss\w*|time\w*|\w*PerSecond)":[^,}]+,?/g, "");
  const summary = (folder: string) => JSON.parse(readFileSync(sandbox.path(folder, "summary.json"), "utf8")) as RunSummary;

  const unwritable: [what: string, folder: string][] = [
    ["a file is in the way", "run.yaml/out"],
    ["a file has the folder's name", "run.yaml"],
    ...(process.platform === "linux" ? [["the file system takes no folders", "/proc/nope/run"] as [string, string]] : []),
  ];
  for (const [what, folder] of unwritable) {
    it(`train ends with one clear error where ${what}`, async () => {
      const { status, err } = await proximal("train", "run.yaml", "--out", folder).done;
      expect(status).to.equal(1);
      expect(err).to.match(/^\S+: nothing can be written there: .*\n {2}hint: {5}choose another place\n$/);
    });
  }

  it("train writes the whole run folder where it is told, with the config as resolved", async () => {
    const { status, out, err } = await proximal(
      "train",
      "run.yaml",
      "--set",
      "trainer.steps=4",
      "--set",
      "trainer.checkpointEvery=1",
      "--out",
      "out/a",
    ).done;
    expect(err).to.equal("");
    expect(status).to.equal(0);
    expect(readdirSync(sandbox.path("out/a")).sort()).to.deep.equal([
      "checkpoints",
      "config.json",
      "metrics.jsonl",
      "model",
      "report.html",
      "rollouts",
      "run.json",
      "summary.json",
    ]);
    expect(withoutTime("out/a").trim().split("\n")).to.have.length(4);
    expect(JSON.parse(readFileSync(sandbox.path("out/a/config.json"), "utf8"))).to.nested.include({
      "trainer.steps": 4,
      "gate.use": "clip",
      output: sandbox.path("out/a"),
    });
    expect(out).to.include("4/4").and.include("reward by step").and.include("run folder");
    expect(summary("out/a")).to.include({ steps: 4, seed: 1 });
  });

  it("train refuses to replace a run unless it is told to", async () => {
    await proximal("train", "run.yaml", "--quiet", "--out", "out/b").done;
    const refused = await proximal("train", "run.yaml", "--quiet", "--out", "out/b").done;
    expect([refused.status, refused.err]).to.satisfy(([status, err]: [number, string]) => status === 1 && err.includes("--overwrite"));
    expect((await proximal("train", "run.yaml", "--quiet", "--out", "out/b", "--overwrite").done).status).to.equal(0);
  });

  it("train that cannot start leaves no folder behind", async () => {
    const { status, err } = await proximal("train", "run.yaml", "--set", "data.train=data/none.jsonl", "--out", "out/none").done;
    expect(status).to.equal(1);
    expect(err)
      .to.include("no such data set")
      .and.not.match(/\n +at /);
    expect(existsSync(sandbox.path("out/none"))).to.equal(false);
  });

  /** A run that gets a signal in its third step. */
  const interrupted = async (signal: "SIGINT" | "SIGTERM", folder: string) => {
    const child = proximal("train", "slow.yaml", "--set", "trainer.steps=12", "--out", folder);
    await new Promise<void>((seen) => child.stdout!.on("data", (part: Buffer) => part.includes("3/12") && seen()));
    child.kill(signal);
    const stopped = await child.done;
    expect(stopped.out).to.include("proximal resume");
    expect(existsSync(sandbox.path(folder, "summary.json"))).to.equal(false);
    return stopped;
  };

  it("train finishes the step and saves on Ctrl-C, and resume gives the run that would have been", async () => {
    expect((await interrupted("SIGINT", "out/stopped")).status).to.equal(130);
    expect((await proximal("resume", "out/stopped").done).status).to.equal(0);
    await proximal("train", "slow.yaml", "--set", "trainer.steps=12", "--set", "engine.delay=0", "--out", "out/whole").done;
    expect(withoutTime("out/stopped")).to.equal(withoutTime("out/whole"));
  });

  it("train does the same on SIGTERM", async () => {
    expect((await interrupted("SIGTERM", "out/terminated")).status).to.equal(143);
  });

  it("resume after kill -9 gives the run that would have been", async () => {
    const child = proximal("train", "slow.yaml", "--set", "trainer.steps=10", "--set", "trainer.checkpointEvery=3", "--out", "out/killed");
    await new Promise<void>((seen) => child.stdout!.on("data", (part: Buffer) => part.includes("5/10") && seen()));
    child.kill("SIGKILL");
    await child.done;
    expect((await proximal("resume", "out/killed").done).out).to.include("continuing after step 3");
    await proximal("train", "slow.yaml", "--set", "trainer.steps=10", "--set", "trainer.checkpointEvery=3", "--out", "out/unkilled").done;
    expect(withoutTime("out/killed")).to.equal(withoutTime("out/unkilled"));
  });

  it("sft, eval and generate work on the same config and on the run folders", async () => {
    await proximal("sft", "run.yaml", "--quiet", "--out", "out/sft").done;
    const evaluated = await proximal("eval", "out/sft", "--data", "data/sums.jsonl", "--by", "level", "--json").done;
    const report = JSON.parse(evaluated.out) as { overall: { problems: number; accuracy: number }; groups: Record<string, object> };
    expect(report.overall.problems).to.equal(10);
    expect(report.overall.accuracy).to.be.at.least(0.8);
    expect(Object.keys(report.groups)).to.deep.equal(["0", "1"]);
    const both = ["--before", "run.yaml", "--data", "data/sums.jsonl", "--samples", "4", "--greedy", "--out", "out/eval.json"];
    const tabled = await proximal("eval", "out/sft", ...both).done;
    expect(tabled.out)
      .to.match(/out\/sft, against run.yaml: 10 problems, greedy/)
      .and.match(/10 problems, 4 samples a problem at temperature 1[\s\S]*before +after +difference\naccuracy[\s\S]*pass@4[\s\S]*maj@4/);
    const { results } = JSON.parse(readFileSync(sandbox.path("out/eval.json"), "utf8")) as {
      results: { difference: { metrics: { accuracy: number } }; problems: { responses: { text: string }[] }[] }[];
    };
    expect(results.map(({ problems }) => problems.map(({ responses }) => responses.length))).to.deep.equal(
      [1, 4].map((n) => Array(10).fill(n)),
    );
    expect(results[0]!.difference.metrics.accuracy).to.be.above(0);
    const unlike = await proximal("eval", "out/sft", "--before", "run.yaml", "--set", "seed=5", "--by", "leval").done;
    expect([unlike.status, unlike.err]).to.satisfy(
      ([code, text]: [number, string]) => code === 1 && text.includes('did you mean "level"?'),
    );
    const generated = await proximal("generate", "out/sft", "1+1=", "--greedy").done;
    expect(generated.out).to.equal("1+1=2\n");
  });

  it("report writes the page of a run again, with the conventions of its parts", async () => {
    await proximal("train", "run.yaml", "--quiet", "--out", "out/reported").done;
    const file = sandbox.path("out/reported/report.html");
    rmSync(file);
    const { status, out, err } = await proximal("report", "out/reported").done;
    expect([status, out, err]).to.deep.equal([0, "out/reported/report.html\n", ""]);
    expect(readFileSync(file, "utf8"))
      .to.match(/advantage +group-normalized/)
      .and.include("finished, 6 steps");
    const refused = await proximal("report", "data").done;
    expect([refused.status, refused.err]).to.satisfy(([code, text]: [number, string]) => code === 1 && text.includes("holds no run"));
  });

  it("everything is a function with types, and two runs of one process do not disturb each other", async () => {
    const configOf = (seed: number) => resolveConfig("run.yaml", { cwd: sandbox.folder, set: [`seed=${seed}`] });
    const runs = await Promise.all([1, 2].map((seed) => train(configOf(seed), { output: sandbox.path(`out/lib-${seed}`) })));
    expect(runs.map((run) => run!.seed)).to.deep.equal([1, 2]);
    await train(configOf(1), { output: sandbox.path("out/lib-alone") });
    expect(withoutTime("out/lib-1")).to.equal(withoutTime("out/lib-alone"));
    await sft(configOf(1), { output: sandbox.path("out/lib-sft") });
    const run = await openTarget(sandbox.path("out/lib-sft"));
    const { overall }: EvaluationReport = await evaluatePolicy(run, { data: sandbox.path("data/sums.jsonl"), limit: 5 });
    expect(overall.problems).to.equal(5);
    const [one] = await generate(run, ["1+1="], { greedy: true });
    expect(one).to.include({ prompt: "1+1=", text: "2", finish: "stop" });
    const again = await resume(sandbox.path("out/lib-1")).catch((error: unknown) => error);
    expect(again).to.be.instanceOf(UsageError);
  });

  it("export writes the model into a folder that is empty, in a format that there is", async () => {
    const exported = (...given: string[]) => proximal("export", "run.yaml", "--out", "exported", ...given).done;
    expect(await exported("--format", "tflite")).to.deep.equal({
      status: 1,
      out: "",
      err: "--format: unknown format\n  given:    tflite\n  accepted: huggingface, onnx\n",
    });
    expect((await exported()).out).to.equal("exported\n");
    expect(readdirSync(sandbox.path("exported"))).not.to.have.length(0);
    expect((await exported()).err)
      .to.match(/the folder is not empty/)
      .and.match(/--overwrite/);
    expect((await exported("--overwrite", "--format", "onnx")).err).to.match(/no ONNX form/);
  });

  it("download takes the name of a model, and names its package where that is not installed", async () => {
    const { status, err } = await proximal("download", "tiny").done;
    expect(status).to.equal(1);
    expect(err).to.match(/npm i @proximal\/hub|OWNER\/NAME/);
  });
});
