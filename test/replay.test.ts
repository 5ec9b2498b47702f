import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Replay, replay, resolveConfig, train, UsageError } from "@proximal/core";
import { expect } from "chai";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A run of an example with some settings changed, in a folder of its own. */
async function trained(example: string, set: readonly string[]): Promise<{ folder: string; run: string }> {
  const folder = mkdtempSync(join(tmpdir(), "proximal-replay-"));
  const run = join(folder, "run");
  await train(
    resolveConfig(example, { cwd: root, set: ["trainer.keepCheckpoints=9", "evaluation.limit=8", "evaluation.keepBest=false", ...set] }),
    { output: run },
  );
  return { folder, run };
}

describe("the replay of a step", function () {
  this.timeout(300000);
  let folder: string;
  let run: string;

  before(async () => {
    ({ folder, run } = await trained("examples/quickstart.yaml", [
      ...["trainer.steps=4", "trainer.epochs=2", "trainer.checkpointEvery=2", "sampler.promptsPerStep=6", "evaluation.every=2"],
      "regularizers=[{use: kl, coefficient: 0.01}]",
    ]));
  });
  after(() => rmSync(folder, { recursive: true }));

  const cases: [string, number, Partial<Replay>][] = [
    ["right behind a checkpoint", 3, { checkpoint: 2, recomputed: 0 }],
    ["one step further", 4, { checkpoint: 2, recomputed: 1 }],
    ["before the first checkpoint", 2, { checkpoint: null, recomputed: 1 }],
  ];
  for (const [where, step, expected] of cases) {
    it(`${where} has every metric of the record to the bit, with no response decoded anew`, async () => {
      const result = await replay(run, step);
      expect(result).to.include({ ...expected, decoded: 0, fromRollouts: 48 * (expected.recomputed! + 1) });
      expect(result.different).to.deep.equal([]);
      expect(result.metrics.loss).to.equal(result.stored.loss);
      expect(result.metrics.gradNorm).to.equal(result.stored.gradNorm);
    });
  }

  it("is as exact where the rollouts were not kept: responses are decoded anew then", async () => {
    const rollouts = join(run, "rollouts");
    rmSync(join(rollouts, readdirSync(rollouts).find((name) => name.includes("000001"))!));
    expect(await replay(run, 1)).to.deep.include({ different: [], decoded: 48, fromRollouts: 0 });
  });

  it("shows that a loss compared with itself is the same", async () => {
    const { alternative } = await replay(run, 3, { with: "clip" });
    expect(alternative!.other).to.deep.equal(alternative!.actual);
    expect(alternative!.cosine).to.be.closeTo(1, 1e-9);
  });

  it("shows what a wider clip would have let pass, and what another method's gate", async () => {
    const wide = (await replay(run, 3, { set: ["gate.clipLow=null", "gate.clipHigh=null"] })).alternative!;
    expect(wide.actual.removed).to.be.above(0);
    expect(wide.other.removed).to.equal(0);
    expect(wide.cosine).to.be.within(0, 0.9999);
    const sapo = (await replay(run, 3, { with: "sapo" })).alternative!;
    expect(sapo.other.removed).to.equal(0);
    expect(sapo.other.loss).to.not.be.closeTo(sapo.actual.loss!, 1e-6);
  });

  const mistakes: [string, Parameters<typeof replay>, RegExp][] = [
    ["a step that the run does not have", ["", 9], /no step 9/],
    ["a method that is not installed", ["", 3, { with: "sappo" }], /called "sappo"/],
  ];
  for (const [what, [, step, options], message] of mistakes) {
    it(`refuses ${what}`, async () => {
      const error = await replay(run, step, options).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(UsageError).with.property("message").that.match(message);
    });
  }
});

describe("the replay of a step with episodes", function () {
  this.timeout(300000);
  let folder: string;
  let run: string;

  before(async () => {
    ({ folder, run } = await trained("examples/tools/calculator.yaml", ["trainer.steps=2", "trainer.checkpointEvery=1"]));
  });
  after(() => rmSync(folder, { recursive: true }));

  it("takes every turn from the rollouts, lets the environment answer anew, and has every metric to the bit", async () => {
    const result = await replay(run, 2);
    expect(result).to.include({ checkpoint: 1, decoded: 0 });
    expect(result.fromRollouts).to.be.above(128);
    expect(result.different).to.deep.equal([]);
  });

  it("draws the rest of an episode again where the environment answers otherwise", async () => {
    const config = join(run, "config.json");
    const recorded = readFileSync(config, "utf8");
    writeFileSync(config, recorded.replace('"{output}>"', '"{output}="'));
    const result = await replay(run, 2);
    writeFileSync(config, recorded);
    expect(result.decoded).to.be.above(0);
    expect(result.fromRollouts).to.be.at.least(128);
  });
});
