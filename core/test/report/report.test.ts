import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { RunFolder, runLoop, TrainingJob, UsageError, writeReport } from "../../src/index.js";
import { spread } from "../../src/report/samples.js";
import { tabularRun, temporaryFolder } from "../doubles/runs.js";
import { embeddedData, storedRow, syntheticRun } from "./synthetic.js";

describe("the report of a run", () => {
  let root: string;
  beforeEach(() => {
    root = temporaryFolder();
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const reportOf = async (folder: string, facts = {}) => readFileSync(await writeReport(folder, facts), "utf8");

  it("holds name, result, curves, samples, description and config", async () => {
    const html = await reportOf(syntheticRun(root), { description: ["  advantage   group-normalized"] });
    for (const text of [
      "<h1>demo</h1>",
      "grpo · seed 7 · finished, 4 steps",
      "45.0 %",
      "90.0 %",
      "advantage   group-normalized",
      "clipLow",
    ]) {
      expect(html).to.include(text);
    }
    const { curves, samples } = embeddedData(html);
    expect(curves.steps).to.deep.equal([0, 1, 2, 3, 4]);
    expect(curves.values.reward).to.deep.equal([null, 0.1, 0.2, 0.3, 0.4]);
    expect(curves.values["eval.accuracy"]).to.deep.equal([0.45, null, null, null, 0.9]);
    expect(samples.steps.map(({ step }) => step)).to.deep.equal([1, 2, 3, 4]);
    expect(samples.steps[0]!.groups[0]!.rows[1]).to.deep.include({ text: "2", reward: 0, advantage: [-1, -0.5], logp: [-0.1235, -2] });
  });

  it("names its tokens by the texts that the run keeps", async () => {
    const named = embeddedData(await reportOf(syntheticRun(root)));
    expect(named.samples.vocabulary).to.deep.equal({ 0: "t0", 5: "t5", 6: "t6" });
    const unknown = syntheticRun(root);
    rmSync(join(unknown, "rollouts/vocabulary.json"));
    expect(embeddedData(await reportOf(unknown)).samples.vocabulary).to.deep.equal({});
  });

  it("asks the network for nothing", async () => {
    const html = await reportOf(syntheticRun(root));
    expect(html).to.not.match(/<link|@import|(src|href|action)\s*=\s*["']|url\(/i);
    expect(html).to.include("default-src 'none'");
  });

  it("shows texts that look like markup as text", async () => {
    const evil = "</script><img src=x onerror=alert(1)>";
    const html = await reportOf(syntheticRun(root, { name: evil, text: evil }));
    expect(html).to.not.include("<img");
    expect(html).to.include("<h1>&lt;/script&gt;&lt;img src=x");
    expect(embeddedData(html).samples.steps[0]!.groups[0]!.rows[0]!.text).to.equal(evil);
  });

  it("is whole without rollouts, without a summary and without metrics", async () => {
    const folder = syntheticRun(root);
    rmSync(join(folder, "rollouts"), { recursive: true });
    expect(embeddedData(await reportOf(folder)).samples.steps).to.deep.equal([]);
    rmSync(join(folder, "summary.json"));
    expect(await reportOf(folder)).to.include("step 4 of 4");
    rmSync(join(folder, "metrics.jsonl"));
    expect(await reportOf(folder)).to.include("step 0 of 4");
  });

  it("passes over a last line of the metrics that is not ended", async () => {
    const folder = syntheticRun(root);
    writeFileSync(join(folder, "metrics.jsonl"), '{"step":5,"rew', { flag: "a" });
    expect(embeddedData(await reportOf(folder)).curves.steps).to.have.length(5);
  });

  it("stays below 4 MB however long and many the samples are", async () => {
    const folder = syntheticRun(root);
    const logp = Array.from({ length: 3000 }, (_, t) => -1 / (t + 1));
    const tokens = logp.map((_, t) => t);
    const rows = Array.from({ length: 64 }, (_, row) => ({
      ...storedRow({ row, group: row >> 3, text: "x".repeat(9000), reward: 1, tokens, logp, advantages: logp }),
      prompt: "p".repeat(9000),
    }));
    const run = RunFolder.open(folder);
    run.writeRollouts(1, rows);
    const first = join(folder, "rollouts", "step-000001.parquet");
    for (let step = 2; step <= 30; step++) copyFileSync(first, join(folder, "rollouts", `step-${String(step).padStart(6, "0")}.parquet`));
    const html = await reportOf(folder);
    expect(html.length).to.be.below(4e6);
    const { steps } = embeddedData(html).samples;
    expect([steps[0]!.step, steps.at(-1)!.step]).to.deep.equal([1, 30]);
    expect(steps[0]!.groups[0]!.rows[0]).to.include({ length: 3000 }).and.have.property("tokens").with.length(1500);
  });

  it("takes steps at even distances, both ends among them", async () => {
    expect(spread([1, 2, 3, 4, 5, 6, 7, 8, 9], 3)).to.deep.equal([1, 5, 9]);
    expect(spread([1, 2], 5)).to.deep.equal([1, 2]);
  });

  it("tells the warnings of the run, and says nothing where there are none", async () => {
    const path = syntheticRun(root);
    expect(await reportOf(path)).to.not.include("Warnings");
    const folder = RunFolder.open(path);
    folder.appendEvent({ step: 2, kind: "rollback", source: "kl-jump", message: "KL <jumped>" });
    folder.close();
    expect(await reportOf(path)).to.include("<td>2</td><td>rollback</td><td>kl-jump</td><td>KL &lt;jumped&gt;</td>");
  });

  it("is asked for in a folder that holds no run: an error says so", async () => {
    const error = await writeReport(root).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(UsageError).with.property("message").that.includes("holds no run");
  });

  it("is written by a run, with the texts of the tokens and the result", async () => {
    const path = join(root, "run");
    const folder = RunFolder.create(path, { kind: "train", folder: ".", config: { name: "sums" } });
    await runLoop(new TrainingJob(tabularRun(root)), { folder, description: ["  advantage   described here"] });
    const html = readFileSync(join(path, "report.html"), "utf8");
    expect(html).to.include("finished, 6 steps").and.include("described here");
    expect(Object.values(embeddedData(html).samples.vocabulary)).to.include("1");
  });

  it("that cannot be written stops no run: one warning tells of it", async () => {
    const path = join(root, "run");
    const folder = RunFolder.create(path, { kind: "train", folder: ".", config: { name: "sums" } });
    mkdirSync(join(path, "report.html", "in-the-way"), { recursive: true });
    const warnings: string[] = [];
    const summary = await runLoop(new TrainingJob(tabularRun(root)), {
      folder,
      onEvent: (event) => event.type === "warning" && warnings.push(event.message),
    });
    expect(summary).to.include({ steps: 6 });
    expect(warnings.filter((message) => message.includes("report.html"))).to.have.length(1);
  });
});
