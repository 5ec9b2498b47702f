import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { RunFolder, type StoredRow } from "../../src/index.js";
import type { Curves } from "../../src/report/curves.js";
import type { Samples } from "../../src/report/samples.js";

/** A finished run of four steps with two groups of two responses each. */
export function syntheticRun(
  root: string,
  { name = "demo", text = "1", vocabulary = ["t0", "t1", "t2", "t3", "t4", "t5", "t6"] } = {},
): string {
  const path = join(root, "synthetic");
  const config = { name, algorithm: "grpo", seed: 7, trainer: { steps: 4 }, gate: { use: "clip", clipLow: 0.2 } };
  const folder = RunFolder.create(path, { kind: "train", folder: root, config }, { overwrite: true });
  writeFileSync(join(path, "rollouts", "vocabulary.json"), JSON.stringify(vocabulary));
  for (let step = 1; step <= 4; step++) {
    folder.appendMetrics({
      step,
      reward: step / 10,
      loss: -step,
      kl: Number.NaN,
      tokens: 8,
      seconds: 1,
      ...(step === 1 ? { "evalStart.accuracy": 0.45 } : {}),
      ...(step === 4 ? { "eval.accuracy": 0.9 } : {}),
    });
    folder.writeRollouts(step, [
      storedRow({ row: 0, text, reward: 1, tokens: [5, 0], logp: [-0.5, -0.01], advantages: [1, 1] }),
      storedRow({ row: 1, text: "2", reward: 0, tokens: [6, 0], logp: [-0.12345, -2], advantages: [-1, -0.5], mask: [1, 0] }),
      storedRow({ row: 2, group: 1, text: "longer", reward: null, tokens: [5, 6, 5, 6, 5], logp: [-1, -1, -1, -1, -1] }),
    ]);
  }
  folder.finish({
    formatVersion: 1,
    evalAccuracyStart: 0.45,
    evalAccuracyEnd: 0.9,
    rewardStart: 0.1,
    rewardEnd: 0.4,
    lossStart: -1,
    lossEnd: -4,
    steps: 4,
    skippedUpdates: 0,
    seconds: 4,
    tokensPerSecond: 8,
    seed: 7,
  });
  return path;
}

interface RowFacts {
  row: number;
  group?: number;
  text: string;
  reward: number | null;
  tokens: readonly number[];
  logp: readonly number[];
  mask?: readonly number[];
  /** Of a row that was trained on. */
  advantages?: readonly number[];
}

/** A response as the run store keeps it. */
export function storedRow({ group = 0, tokens, logp, mask, advantages, ...facts }: RowFacts): StoredRow {
  const sampled = Uint8Array.from(mask ?? tokens.map(() => 1));
  const update = advantages && {
    kept: sampled,
    advantages: Float64Array.from(advantages),
    oldLogp: Float64Array.from(logp),
    logp: Float64Array.from(logp),
    gate: Float64Array.from(logp, () => 1),
    facts: {},
  };
  return {
    promptId: "a",
    prompt: "1+1=",
    promptTokens: Int32Array.of(1, 2, 1),
    golds: ["2"],
    finish: "stop",
    temperature: 1,
    noise: 7,
    rewards: { match: 0, format: 1 },
    correct: null,
    columns: {},
    ...facts,
    group,
    tokens: Int32Array.from(tokens),
    mask: sampled,
    logp: Float64Array.from(logp),
    update: update ?? null,
  };
}

/** What the page's scripts read. */
export function embeddedData(html: string): { curves: Curves; samples: Samples } {
  const text = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)![1]!;
  return JSON.parse(text) as { curves: Curves; samples: Samples };
}
