// TRL's GRPOTrainer and Proximal on the same work, in turns: ratio of the medians of each pair.
// npm run bench -- peer --python PATH [--shape tiny|small|smollm2] [--pairs 3] [--steps 6] [--warmup 2] [--threads 2]
// PATH: a Python with bench/peers/requirements.txt installed.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { emit, median, spread } from "./lib/measure.mjs";
import { NEW_TOKENS, PROMPT_TOKENS, SHAPES } from "./lib/shapes.mjs";

const { values: o } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    shape: { type: "string", default: "tiny" },
    pairs: { type: "string", default: "3" },
    steps: { type: "string", default: "6" },
    warmup: { type: "string", default: "2" },
    threads: { type: "string", default: "2" },
  },
});

const shape = SHAPES[o.shape];
if (shape === undefined) throw new Error(`no shape "${o.shape}"; there are ${Object.keys(SHAPES).join(", ")}`);
const total = Number(o.steps) + Number(o.warmup);
const folder = mkdtempSync(join(tmpdir(), "proximal-peer-"));
const file = join(folder, "shape.json");
writeFileSync(file, JSON.stringify({ ...shape, promptTokens: PROMPT_TOKENS, newTokens: NEW_TOKENS }));

function lastJson(command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${stderr.slice(-2000)}`);
  return JSON.parse(stdout.trim().split("\n").at(-1));
}

const pairs = [];
for (let i = 0; i < Number(o.pairs); i++) {
  const peer = lastJson(o.python, [join(import.meta.dirname, "peers/trl_step.py"), file, o.threads, `${total}`]);
  const ours = lastJson(process.execPath, [
    join(import.meta.dirname, "step.mjs"),
    ...["--shape", o.shape, "--steps", `${total}`, "--warmup", o.warmup, "--threads", o.threads],
  ]);
  const peerSeconds = median(peer.secondsPerStep.slice(Number(o.warmup)));
  const pair = { peerSecondsPerStep: peerSeconds, secondsPerStep: ours.secondsPerStep, ratio: peerSeconds / ours.secondsPerStep };
  pairs.push({ ...pair, peerPeakRssGb: peer.peakRssGb, peakRssGb: ours.peakRssGb, updateShareOfPeak: ours.updateShareOfPeak });
  emit({ bench: "peer", peer: "trl", shape: o.shape, pair: i, ...pairs.at(-1) });
}
rmSync(folder, { recursive: true, force: true });
const of = (field) => spread(pairs.map((pair) => pair[field]));
emit({
  bench: "peer",
  peer: "trl",
  shape: o.shape,
  pairs: pairs.length,
  ratio: of("ratio"),
  peerSecondsPerStep: of("peerSecondsPerStep"),
  secondsPerStep: of("secondsPerStep"),
  peakRssGb: of("peakRssGb"),
  peerPeakRssGb: of("peerPeakRssGb"),
});
