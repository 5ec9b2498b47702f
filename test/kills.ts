import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What makes a run of an example short: it saves after every step and drops old rollouts. */
const SETS = [
  "sampler.promptsPerStep=2",
  "sampler.groupSize=4",
  "evaluation.every=5",
  "evaluation.limit=8",
  "trainer.checkpointEvery=1",
  "trainer.rollouts.maxMegabytes=0.1",
];

interface Session {
  code: number | null;
  /** Milliseconds from the first line of the session to its first step, and to its end. */
  warm: number;
  lasted: number;
  errors: string;
}

/** Runs the command line; kills it without warning `killAfter` ms after its first line (before it: `killAtOnce`). */
function session(args: readonly string[], killAfter: number | null, killAtOnce = false): Promise<Session> {
  return new Promise((resolve) => {
    const child: ChildProcess = spawn(process.execPath, ["core/dist/src/cli/main.js", ...args, "--json"], { cwd: root });
    let [start, warm, errors] = [0, 0, ""];
    const arm = () => killAfter !== null && setTimeout(() => child.kill("SIGKILL"), killAfter);
    if (killAtOnce) arm();
    child.stdout!.on("data", (text: Buffer) => {
      if (start === 0 && !killAtOnce) arm();
      start ||= performance.now();
      if (String(text).includes('"type":"step"')) warm ||= performance.now() - start;
    });
    child.stderr!.on("data", (text: Buffer) => {
      errors += String(text);
    });
    child.on("close", (code) => resolve({ code, warm, lasted: start === 0 ? 0 : performance.now() - start, errors }));
  });
}

const withoutTime = (text: string): string => text.replaceAll(/"(seconds\w*|rss\w*|time\w*|\w*PerSecond)": ?[^,}\n]+,?/g, "");
const digest = (bytes: Uint8Array | string): string => createHash("sha256").update(bytes).digest("hex");

/** Everything that a run leaves and that must not depend on how often it broke off, by file. */
function contentOf(folder: string): Record<string, string> {
  const text = (name: string) => (existsSync(join(folder, name)) ? withoutTime(readFileSync(join(folder, name), "utf8")) : "");
  const bytes = (part: string) =>
    readdirSync(join(folder, part)).map((name) => [`${part}/${name}`, digest(readFileSync(join(folder, part, name)))] as const);
  return {
    ...Object.fromEntries(["metrics.jsonl", "events.jsonl", "summary.json"].map((name) => [name, text(name)])),
    ...Object.fromEntries([...bytes("rollouts"), ...bytes("model"), ...bytes("checkpoints/best/policy")]),
  };
}

export interface KillReport {
  kills: number;
  /** Of these, before the session had printed its first line. */
  early: number;
  steps: number;
  /** Files that differ from those of the run that was never killed. */
  different: string[];
}

/** Trains once in peace and once with kills at random moments, each followed by a resume; compares what is left. */
export async function trainWithKills(
  folder: string,
  kills: number,
  { config = "examples/quickstart.yaml", log = () => {} }: { config?: string; log?: (text: string) => void } = {},
): Promise<KillReport> {
  const steps = Math.max(12, 4 * kills);
  const train = (out: string) => ["train", config, "--out", out, ...[...SETS, `trainer.steps=${steps}`].flatMap((set) => ["--set", set])];
  const [whole, killed] = [join(folder, "whole"), join(folder, "killed")];
  const calm = await session(train(whole), null);
  if (calm.code !== 0) throw new Error(`the undisturbed run failed: ${calm.errors}`);
  log(`undisturbed: ${steps} steps in ${(calm.lasted / 1000).toFixed(1)} s`);
  const stepTime = (calm.lasted - calm.warm) / steps;
  const report: KillReport = { kills: 0, early: 0, steps, different: [] };
  rmSync(killed, { recursive: true, force: true });
  while (!existsSync(join(killed, "summary.json"))) {
    const isStarted = existsSync(join(killed, "run.json"));
    const isLast = report.kills >= kills;
    const atOnce = isStarted && Math.random() < 0.1;
    const args = isStarted ? ["resume", killed] : [...train(killed), ...(existsSync(killed) ? ["--overwrite"] : [])];
    const { code, errors } = await session(args, isLast ? null : Math.random() * (atOnce ? 1000 : calm.warm + 4 * stepTime), atOnce);
    if (code !== null && code !== 0) throw new Error(`a session failed: ${errors}`);
    if (code !== null) break;
    report.kills++;
    if (atOnce) report.early++;
    const records = existsSync(join(killed, "metrics.jsonl"))
      ? readFileSync(join(killed, "metrics.jsonl"), "utf8").split("\n").length - 1
      : 0;
    log(`kill ${report.kills} of ${kills}: ${records} whole metrics lines were written`);
  }
  const [a, b] = [contentOf(whole), contentOf(killed)];
  report.different = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]);
  return report;
}
