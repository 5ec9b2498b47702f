import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import fc from "fast-check";
import { type Batch, DataError, RunFolder, readRun, runLoop, type StoredRow, TrainingJob, UsageError } from "../../../src/index.js";
import { decodeRollouts, encodeRollouts } from "../../../src/trainer/store/rollout-file.js";
import { RolloutFiles, ranges } from "../../../src/trainer/store/rollouts.js";
import { grpo, tabularRun, temporaryFolder } from "../../doubles/runs.js";
import { storedRow } from "../../report/synthetic.js";

const origin = { kind: "train", folder: ".", config: { name: "sums" } } as const;

const numbers = (length: number, isFloat32: boolean) =>
  fc.array(isFloat32 ? fc.float() : fc.double(), { minLength: length, maxLength: length }).map((values) => Float64Array.from(values));
const flags = (length: number) =>
  fc.array(fc.integer({ min: 0, max: 1 }), { minLength: length, maxLength: length }).map((values) => Uint8Array.from(values));
const finite = fc.double({ noNaN: true });

const updates = (length: number, isFloat32: boolean) =>
  fc.record({
    kept: flags(length),
    advantages: fc.oneof(
      numbers(length, false),
      finite.map((value) => new Float64Array(length).fill(value)),
    ),
    oldLogp: numbers(length, isFloat32),
    logp: fc.option(numbers(length, isFloat32)),
    gate: fc.option(numbers(length, true)),
    facts: fc.record({
      "clip.clipFractionHigh": flags(length).map((values) => Float64Array.from(values)),
      "g.width": numbers(length, true),
    }),
  });

const anyRow: fc.Arbitrary<StoredRow> = fc.tuple(fc.nat(5), fc.boolean()).chain(([length, isFloat32]) =>
  fc.record({
    row: fc.nat(),
    group: fc.nat(100),
    promptId: fc.string({ unit: "grapheme" }),
    prompt: fc.string({ unit: "grapheme" }),
    promptTokens: fc.array(fc.nat(2 ** 20)).map((values) => Int32Array.from(values)),
    golds: fc.array(fc.string({ unit: "grapheme" })),
    text: fc.string({ unit: "grapheme" }),
    finish: fc.constantFrom("stop", "length", "environment") as fc.Arbitrary<StoredRow["finish"]>,
    temperature: fc.constantFrom(1, 0.7),
    noise: fc.option(fc.nat({ max: 2 ** 32 - 1 })),
    reward: fc.option(finite),
    rewards: fc.record({ match: fc.option(finite), "match.part": fc.option(finite) }),
    correct: fc.option(fc.constantFrom(0, 1)),
    tokens: fc.array(fc.nat(2 ** 20), { minLength: length, maxLength: length }).map((values) => Int32Array.from(values)),
    mask: flags(length),
    logp: numbers(length, isFloat32),
    update: fc.option(updates(length, isFloat32)),
    columns: fc.constantFrom<Record<string, unknown>>({}, { hinted: true, treePath: [1, 2], width: -0 }),
  }),
);

describe("the rollout store", () => {
  let root: string;
  beforeEach(() => {
    root = temporaryFolder();
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it("gives back every number to the bit, NaN and -0 included", () =>
    fc.assert(
      fc.asyncProperty(fc.array(anyRow, { minLength: 1, maxLength: 4 }), async (rows) => {
        expect(await decodeRollouts(encodeRollouts(rows), "memory")).to.deep.equal(rows);
      }),
      { seed: 1, numRuns: 100 },
    ));

  it("writes equal rows as equal bytes, with nothing of the time in them", async () => {
    const rows = fc.sample(anyRow, { seed: 3, numRuns: 5 });
    const first = encodeRollouts(rows);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(Buffer.from(encodeRollouts(structuredClone(rows))).equals(first)).to.equal(true);
  });

  const rows = Array.from({ length: 4 }, (_, row) =>
    storedRow({ row, text: "x", reward: 1, tokens: [1, 2], logp: [-1, -2], advantages: [1, 1] }),
  );
  const SIZE = encodeRollouts(rows).length / 1e6;
  const limits: [string, ConstructorParameters<typeof RolloutFiles>[1], number[]][] = [
    ["everything by default", undefined, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ["nothing", { keep: "none", every: 1, maxMegabytes: null }, []],
    ["the newest three", { keep: 3, every: 1, maxMegabytes: null }, [8, 9, 10]],
    ["each fourth step and the first", { keep: "all", every: 4, maxMegabytes: null }, [1, 4, 8]],
    ["an even choice that fits the size, first and newest included", { keep: "all", every: 1, maxMegabytes: SIZE * 4.5 }, [1, 4, 8, 10]],
    ["the newest and the first, however small the size", { keep: "all", every: 1, maxMegabytes: 0.001 }, [1, 10]],
  ];
  const fill = (files: RolloutFiles, from: number, to: number) => {
    for (let step = from; step <= to; step++) if (files.wants(step)) files.write(step, rows);
  };
  for (const [what, config, steps] of limits) {
    it(`keeps ${what}`, () => {
      const files = new RolloutFiles(join(root, "rollouts"), config);
      fill(files, 1, 10);
      expect(files.steps()).to.deep.equal(steps);
    });

    it(`keeps ${what}, the same after every crash and resume`, () => {
      const all = (path: string) => {
        try {
          return readdirSync(path).map((name) => [name, readFileSync(join(path, name), "base64")]);
        } catch {
          return [];
        }
      };
      const whole = join(root, "whole");
      fill(new RolloutFiles(whole, config), 1, 10);
      for (const crash of [3, 6, 9]) {
        for (const checkpoint of [0, crash - 2, crash - 1]) {
          const path = join(root, `crash-${crash}-${checkpoint}`);
          fill(new RolloutFiles(path, config), 1, crash);
          const again = new RolloutFiles(path, config);
          again.truncate(checkpoint);
          fill(again, checkpoint + 1, 10);
          expect(all(path), `crash in ${crash}, back to ${checkpoint}`).to.deep.equal(all(whole));
        }
      }
    });
  }

  it("names the steps that it has when another one is asked for", async () => {
    const files = new RolloutFiles(join(root, "rollouts"), { keep: "all", every: 4, maxMegabytes: null });
    fill(files, 1, 10);
    const error = await files.read(5).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(DataError).with.nested.property("details.accepted", "1, 4, 8");
    expect(ranges([1, 2, 3, 7, 9, 10])).to.equal("1–3, 7, 9–10");
  });

  it("says which file is damaged", async () => {
    const files = new RolloutFiles(join(root, "rollouts"));
    fill(files, 1, 1);
    const file = join(root, "rollouts", "step-000001.parquet");
    writeFileSync(file, readFileSync(file).subarray(0, -9));
    const error = await files.read(1).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(DataError).with.nested.property("details.file", file);
  });

  it("refuses a run of an older format, saying what to do", () => {
    RunFolder.create(join(root, "old"), origin);
    writeFileSync(join(root, "old", "run.json"), JSON.stringify({ formatVersion: 1, kind: "train", folder: "." }));
    for (const open of [readRun, RunFolder.open.bind(RunFolder)]) {
      expect(() => open(join(root, "old")))
        .to.throw(UsageError, "another format")
        .with.nested.property("details.given", 1);
    }
  });
});

describe("the rollouts of a run", () => {
  let root: string;
  beforeEach(() => {
    root = temporaryFolder();
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const rolloutsOf = async (over: Parameters<typeof tabularRun>[1], step = 1) => {
    const path = join(root, "run");
    const folder = RunFolder.create(path, origin, { overwrite: true });
    await runLoop(new TrainingJob(tabularRun(root, over)), { folder });
    return { run: readRun(path), rows: await readRun(path).rollouts(step) };
  };

  it("hold every sample with tokens and their texts, log-probs, rewards, advantages and credit", async () => {
    const { run, rows } = await rolloutsOf({ settings: { trainer: { steps: 2 } } });
    expect(run.steps()).to.deep.equal([1, 2]);
    expect(run.metrics()).to.have.length(2);
    expect(run.summary).to.include({ steps: 2 });
    expect(rows).to.have.length(32);
    for (const row of rows) {
      expect(row.texts.join("").replace(/<[^>]*>$/, "")).to.equal(row.text);
      expect(row.rewards).to.deep.equal({ "exact-match": row.reward });
      expect(row.correct).to.equal(row.reward);
      expect(row.noise).to.be.a("number");
      expect(row.golds).to.have.length(1);
      expect(row.promptTokens).to.have.length(row.prompt.length);
      for (const values of [row.logp, row.mask, row.ratio, row.limitedBy, ...Object.values(row.update ?? {})]) {
        if (values?.constructor !== Object) expect(values).to.have.length(row.tokens.length);
      }
    }
  });

  const firstIsEven = {
    ...grpo().rewards[0]!,
    component: { score: ({ trajectories }: Batch) => ({ rewards: trajectories.map(({ tokens }) => (tokens[0]! % 2 === 0 ? 1 : 0)) }) },
  };

  it("tell of each token the trainer's log-prob, its ratio, and what the clip let pass", async () => {
    const over = { settings: { optimizer: { learningRate: 2 }, trainer: { steps: 1, epochs: 3 } } };
    const { run, rows } = await rolloutsOf({ ...over, composition: grpo({ terms: grpo().terms.slice(0, 1), rewards: [firstIsEven] }) });
    const tokens = rows.flatMap(({ update, logp, ratio, limitedBy }) =>
      Array.from(logp, (old, t) => ({
        passed: update!.gate![t]!,
        advantage: update!.advantages[t]!,
        ratio: ratio![t]!,
        difference: update!.logp![t]! - old,
        high: update!.facts["clip.clipFractionHigh"]![t],
        rule: limitedBy![t],
      })),
    );
    expect(tokens.some(({ rule }) => rule === "clipHigh")).to.equal(true);
    expect(tokens.some(({ rule }) => rule === "clipLow")).to.equal(true);
    for (const { passed, advantage, ratio, difference, high, rule } of tokens) {
      expect(ratio).to.be.closeTo(Math.exp(difference), 1e-12);
      if (advantage === 0) expect(passed).to.be.NaN;
      else {
        const isClipped = advantage > 0 ? ratio > 1.2 : ratio < 0.8;
        expect(passed).to.be.closeTo(isClipped ? 0 : ratio, 1e-6);
        expect(rule).to.equal(isClipped ? (advantage > 0 ? "clipHigh" : "clipLow") : null);
        expect(high).to.equal(isClipped && advantage > 0 ? 1 : 0);
      }
    }
    // Three updates: the last one's clip fraction is what the rows show, the metric is the mean of all three.
    const clipped = tokens.filter(({ rule }) => rule !== null).length / tokens.length;
    expect(run.metrics()[0]!.clipFraction).to.be.within(clipped / 3, clipped);
  });

  it("keep the metrics of a last line that is not ended apart", async () => {
    const { run } = await rolloutsOf({ settings: { trainer: { steps: 1 } } });
    writeFileSync(join(run.path, "metrics.jsonl"), '{"step": 2, "rew', { flag: "a" });
    expect(run.metrics()).to.have.length(1);
  });
});
