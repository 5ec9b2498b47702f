import { join } from "node:path";
import { RunFolder } from "../../src/index.js";
import type { Curves } from "../../src/report/curves.js";
import type { Samples } from "../../src/report/samples.js";

/** A finished run of four steps with two groups of two responses each. */
export function syntheticRun(root: string, { name = "demo", text = "1" } = {}): string {
  const path = join(root, "synthetic");
  const config = { name, algorithm: "grpo", seed: 7, trainer: { steps: 4 }, gate: { use: "clip", clipLow: 0.2 } };
  const folder = RunFolder.create(path, { kind: "train", folder: root, config }, { overwrite: true });
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
    const row = { promptId: "a", prompt: "1+1=", golds: ["2"], finish: "stop", temperature: 1, rewards: { match: 0, format: 1 } };
    folder.writeRollouts(step, [
      { ...row, row: 0, group: 0, text, reward: 1, advantage: 1, tokens: [5, 0], logp: [-0.5, -0.01] },
      { ...row, row: 1, group: 0, text: "2", reward: 0, advantage: [-1, -0.5], tokens: [6, 0], logp: [-0.12345, -2], mask: [1, 0] },
      { ...row, row: 2, group: 1, text: "longer", reward: null, advantage: null, tokens: [5, 6, 5, 6, 5], logp: [-1, -1, -1, -1, -1] },
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

/** What the page's scripts read. */
export function embeddedData(html: string): { curves: Curves; samples: Samples } {
  const text = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)![1]!;
  return JSON.parse(text) as { curves: Curves; samples: Samples };
}
