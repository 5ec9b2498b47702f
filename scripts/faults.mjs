// Kills a real training run at random moments, resumes it each time, and compares what it leaves with a run that was not
// disturbed: npm run faults -- --kills 30
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { trainWithKills } from "../test/dist/kills.js";

const { values } = parseArgs({ options: { kills: { type: "string", default: "30" }, config: { type: "string" } } });
const folder = mkdtempSync(join(tmpdir(), "proximal-faults-"));
const { kills, early, steps, different } = await trainWithKills(folder, Number(values.kills), { config: values.config, log: console.log });
console.log(`${kills} kills in ${steps} steps, ${early} of them before the session had begun to train`);
if (different.length > 0) {
  console.log(`different: ${different.join(", ")}; see ${folder}`);
  process.exitCode = 1;
} else {
  console.log("metrics, events, summary, rollouts, best checkpoint and model are the same, byte for byte");
  rmSync(folder, { recursive: true });
}
