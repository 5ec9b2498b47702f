import { type Alternative, type LossFacts, type Replay, replay } from "../../trainer/index.js";

export interface ReplayFlags {
  with?: string;
  set: readonly string[];
  json?: boolean;
}

/** `proximal replay`: how the step came out again, and what another loss would have made of it. */
export async function replayCommand(folder: string, step: number, { with: other, set, json }: ReplayFlags): Promise<void> {
  const onProgress = (text: string) => void (process.stderr.isTTY && !json && console.error(text));
  const result = await replay(folder, step, {
    ...(other === undefined ? {} : { with: other }),
    ...(set.length === 0 ? {} : { set }),
    onProgress,
  });
  console.log(json ? JSON.stringify(result, null, 2) : [...replayLines(result), ...alternativeLines(result.alternative)].join("\n"));
}

/** What the table shows where the run has it. */
const SHOWN = ["loss", "gradNorm", "reward", "kl", "clipFraction", "entropy", "logpGap", "length"];

function replayLines({ step, checkpoint, recomputed, fromRollouts, decoded, metrics, stored, different }: Replay): string[] {
  const start = checkpoint === null ? "the first model" : `the checkpoint of step ${checkpoint}`;
  const way = recomputed === 0 ? "" : `, ${recomputed} step(s) computed again to get its parameters`;
  const names = [...SHOWN.filter((name) => name in metrics), ...different.filter((name) => !SHOWN.includes(name))];
  return [
    `step ${step}, from ${start}${way}`,
    `responses: ${fromRollouts} from the rollouts, ${decoded} decoded anew`,
    ...table(
      ["", "replay", "stored"],
      names.map((name) => [name, number(metrics[name]), number(stored[name]) + (different.includes(name) ? "  differs" : "")]),
    ),
    different.length === 0
      ? `exact: loss, gradient norm and all other metrics of the step are the stored ones to the bit`
      : `not exact: ${different.length} metric(s) differ; other versions, threads or machines compute other last digits`,
  ];
}

function alternativeLines(alternative: Alternative | undefined): string[] {
  if (alternative === undefined) return [];
  const { name, actual, other, cosine } = alternative;
  const row = (title: string, of: (facts: LossFacts) => number | null) => [title, number(of(actual)), number(of(other))];
  return [
    "",
    `the same rollouts at the parameters of the step's last update`,
    ...table(
      ["", "run", name],
      [
        row("loss", ({ loss }) => loss),
        row("gradient norm", ({ gradNorm }) => gradNorm),
        row("tokens gated to nothing", ({ removed }) => removed),
        row("tokens gated to less than half", ({ halved }) => halved),
        row("responses", ({ rows }) => rows),
      ],
    ),
    `cosine of the gradients  ${number(cosine)}`,
  ];
}

const number = (value: number | null | undefined): string =>
  typeof value !== "number" || !Number.isFinite(value) ? "–" : Number.isInteger(value) ? String(value) : value.toPrecision(6);

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, i) => Math.max(...all.map((row) => row[i]!.length)));
  return all.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd(),
  );
}
