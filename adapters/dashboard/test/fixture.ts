import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RunFolder, type StoredRow } from "@proximal/core";

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), "proximal-dashboard-"));

export interface FixtureOptions {
  id?: string;
  steps?: number;
  seed?: number;
  /** Text of the first response. */
  text?: string;
  finished?: boolean;
}

/** The metrics of a step in which a format reward rises, correctness does not, and responses grow. */
export const metricsOf = (step: number) => ({
  step,
  reward: 0.3 + 0.05 * step,
  "reward.exact-match": 0.3,
  "reward.judge": 0.05 * step,
  length: 2 + step,
  loss: Number.NaN,
  gradNorm: 1 / step,
  tokens: 40,
  seconds: 2,
  secondsGenerate: 1,
  secondsUpdate: 0.5,
  secondsCpu: 3,
  tokensPerSecond: 20 + step,
  rss: 300,
  ...(step === 1 ? { "evalStart.accuracy": 0.5 } : {}),
  ...(step % 5 === 0 ? { "eval.accuracy": 0.5 - step / 100 } : {}),
});

const VOCABULARY = ["<eos>", "one", " two", "\n", "é"];

interface RowFacts {
  row: number;
  group: number;
  text: string;
  tokens: number[];
  rewards: Record<string, number>;
}

/** A response whose second token the gate stopped. */
function storedRow({ row, group, text, tokens, rewards }: RowFacts): StoredRow {
  const logp = Float64Array.from(tokens, (_, t) => -0.5 * (t + 1));
  const stopped = Float64Array.from(tokens, (_, t) => (t === 1 ? 1 : 0));
  return {
    row,
    group,
    promptId: `p${group}`,
    prompt: `What is ${group} + 1?`,
    promptTokens: Int32Array.of(1, 2),
    golds: [String(group + 1)],
    text,
    finish: "stop",
    temperature: 1,
    noise: row,
    reward: (rewards["exact-match"] ?? 0) + (rewards.judge ?? 0),
    rewards,
    correct: rewards["exact-match"] ?? null,
    tokens: Int32Array.from(tokens),
    mask: Uint8Array.from(tokens, () => 1),
    logp,
    update:
      row === 3
        ? null
        : {
            kept: Uint8Array.from(tokens, () => 1),
            advantages: Float64Array.from(tokens, () => (row === 0 ? 1 : -0.5)),
            oldLogp: logp,
            logp: logp.map((value, t) => value + (t === 1 ? Math.log(1.5) : 0)),
            gate: Float64Array.from(tokens, (_, t) => (t === 1 ? 0 : 1)),
            facts: { "clip.clipFractionHigh": stopped },
          },
    columns: {},
  };
}

const rowsOf = (step: number, text: string): StoredRow[] => [
  storedRow({ row: 0, group: 0, text, tokens: [1, 2, 0], rewards: { "exact-match": 1, judge: 0.9 } }),
  storedRow({ row: 1, group: 0, text: `answer ${step}`, tokens: [1, 2, 3, 4, 0], rewards: { "exact-match": 0, judge: 0.2 } }),
  storedRow({ row: 2, group: 1, text: "polite but wrong", tokens: [2, 2, 2, 2, 2, 2, 0], rewards: { "exact-match": 0, judge: 1 } }),
  storedRow({ row: 3, group: 1, text: "plain", tokens: [4, 0], rewards: { "exact-match": 1, judge: 0.8 } }),
];

/** A run folder below `root`. Its folder can go on with `appendMetrics` and `writeRollouts`. */
export function writeRun(root: string, { id = "demo", steps = 20, seed = 7, text = "first", finished = false }: FixtureOptions = {}) {
  const config = {
    name: id,
    algorithm: "grpo",
    seed,
    trainer: { steps: 20 },
    rewards: [
      { use: "exact-match", weight: 1 },
      { use: "judge", weight: 1 },
    ],
    gate: { use: "clip", clipLow: 0.2 },
  };
  const folder = RunFolder.create(join(root, id), { kind: "train", folder: root, config }, { overwrite: true });
  writeFileSync(join(root, id, "rollouts", "vocabulary.json"), JSON.stringify(VOCABULARY));
  for (let step = 1; step <= steps; step++) {
    folder.appendMetrics(metricsOf(step));
    folder.writeRollouts(step, rowsOf(step, text));
  }
  folder.appendEvent({ step: 2, kind: "rollback", source: "entropy-watch", message: "back to step 1" });
  if (finished) folder.finish({ formatVersion: 1, steps, seed });
  return { folder, path: join(root, id), rowsOf };
}
