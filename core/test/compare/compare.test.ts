import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { expect } from "chai";
import {
  type CompareOptions,
  type Comparison,
  compareAlgorithms,
  comparisonTable,
  ProximalError,
  writeComparison,
} from "../../src/index.js";
import { TABLE_ENGINE } from "../doubles/table-engine.js";
import { Sandbox } from "../registry/sandbox.js";

const TASK = `
model: { alphabet: "0123456789+=" }
engine: { use: table }
data: { train: ../../sums.jsonl, evalFraction: 0.4 }
sampling: { maxTokens: 2 }
sampler: { groupSize: 4, promptsPerStep: 4 }
rewards: [{ use: exact-match }]
optimizer: { learningRate: 0.2 }
trainer: { tokenBudget: 200, steps: 40, checkpointEvery: 2 }
evaluation: { every: 2 }
`;
const METHOD = `
sampler: { use: independent, groupSize: 4, promptsPerStep: 4 }
advantage: { use: group-normalized }
gate: { use: clip }
`;

describe("a comparison", function () {
  this.timeout(60000);
  const sandbox = new Sandbox();
  after(() => sandbox.remove());

  before(async () => {
    await sandbox.install("@proximal/table", TABLE_ENGINE);
    const sums = Array.from({ length: 10 }, (_, i) => ({ prompt: `${i}+1=`, answer: `${i + 1}`.slice(-1) }));
    sandbox.write("sums.jsonl", sums.map((record) => `${JSON.stringify(record)}\n`).join(""));
    sandbox.write("examples/tasks/sums.yaml", TASK);
    sandbox.write("a.yaml", METHOD);
    sandbox.write("b.yaml", `${METHOD.replace("groupSize: 4", "groupSize: 8")}seed: 9\ntrainer: { epochs: 3, steps: 7 }\n`);
  });

  const compare = (over: Partial<CompareOptions> = {}): Promise<Comparison | null> =>
    compareAlgorithms({
      algorithms: ["a.yaml", "b.yaml"],
      task: "sums",
      seeds: 2,
      samples: 4,
      output: sandbox.path("out"),
      cwd: sandbox.folder,
      ...over,
    });

  it("trains each contender with each seed in a run folder of its own, and says what it found", async () => {
    const comparison = (await compare())!;
    expect(comparison).to.include({ task: "sums", budget: 200, complete: true });
    expect(comparison.contenders.map(({ name, runs }) => [name, runs.map(({ folder }) => folder)])).to.deep.equal([
      ["a", ["a/seed-1", "a/seed-2"]],
      ["b", ["b/seed-1", "b/seed-2"]],
    ]);
    for (const { runs } of comparison.contenders) {
      for (const run of runs) {
        expect(run.tokens).to.be.within(200, 200 + 2 * 32);
        expect(Object.keys(run.passAt)).to.deep.equal(["1", "2", "4"]);
        expect(existsSync(sandbox.path("out", run.folder, "summary.json"))).to.equal(true);
      }
    }
    const [a, b] = comparison.contenders;
    expect(a).to.not.have.property("against");
    expect(b!.against!.accuracy!.mean).to.be.closeTo(b!.over.accuracy!.mean - a!.over.accuracy!.mean, 1e-12);
    expect(JSON.parse(readFileSync(sandbox.path("out/compare.json"), "utf8"))).to.deep.equal(JSON.parse(JSON.stringify(comparison)));
  });

  it("tells what differs beside the method, and what of a contender's file gives way", async () => {
    const lines = comparisonTable((await compare())!);
    expect(lines.find((line) => line.startsWith("b: "))).to.equal(
      "b: `seed` of b gives way to the task's; `trainer.steps` of b gives way to the task's; 8 responses to each of 4 prompts a step; 3 updates a step (3 epochs of 1)",
    );
    expect(lines.join("\n")).to.match(/difference to a, paired by seed/);
  });

  it("keeps what is finished, continues what is not, and comes to the same result as without a break", async () => {
    const whole = (await compare())!;
    const stop = new AbortController();
    let steps = 0;
    const onEvent: CompareOptions["onEvent"] = ({ type }) => type === "step" && ++steps === 12 && stop.abort();
    expect(await compare({ output: sandbox.path("stopped"), signal: stop.signal, onEvent })).to.equal(null);
    const kept = statSync(sandbox.path("stopped/a/seed-1/summary.json")).mtimeMs;
    const there: boolean[] = [];
    const again = (await compare({ output: sandbox.path("stopped"), onRun: ({ wasThere }) => there.push(wasThere) }))!;
    expect(there[0]).to.equal(true);
    expect(there.at(-1)).to.equal(false);
    expect(statSync(sandbox.path("stopped/a/seed-1/summary.json")).mtimeMs).to.equal(kept);
    const timeless = (comparison: Comparison) => JSON.stringify(comparison, (key, value: unknown) => (key === "seconds" ? 0 : value));
    expect(timeless(again)).to.equal(timeless(whole));
  });

  it("writes a page that loads nothing", async () => {
    const page = readFileSync(writeComparison((await compare())!, sandbox.path("out")), "utf8");
    expect(page).to.include("Held-out accuracy").and.include("Difference to a, paired by seed");
    expect(page).to.not.match(/(src|href)="/);
  });

  const refusals: [title: string, over: Partial<CompareOptions>, ...parts: string[]][] = [
    ["a task that is not there", { task: "sumz" }, 'there is no task "sumz"', 'did you mean "sums"?'],
    ["an algorithm that is not installed", { algorithms: ["grpo"] }, "no installed package provides", "grpo"],
    ["an algorithm named twice", { algorithms: ["a.yaml", "a.yaml"] }, '"a.yaml" is named twice'],
    ["a folder that holds another run", { budget: 300 }, "the folder holds a run with another trainer.tokenBudget", "--overwrite"],
    ["a task without held-out problems", { set: ["data.evalFraction=0"], output: "elsewhere" }, "needs held-out problems"],
  ];
  for (const [title, over, ...parts] of refusals) {
    it(`refuses ${title}`, async () => {
      await compare();
      const error = await compare(over).then(
        () => null,
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(ProximalError);
      for (const part of parts) expect((error as ProximalError).describe()).to.include(part);
    });
  }

  it("starts over when it is told to", async () => {
    await compare({ output: sandbox.path("again") });
    const comparison = await compare({ output: sandbox.path("again"), budget: 100, overwrite: true });
    expect(comparison!.contenders[0]!.runs[0]!.tokens).to.be.below(200);
    rmSync(sandbox.path("again"), { recursive: true });
  });
});
