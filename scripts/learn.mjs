// Trains methods on the default task and says what came of it: npm run learn -- [--plugins a,b] [--seeds 3] [--steps N]
// Uses examples/algorithms/<plugin>.yaml. Exit code 1 when the reward of some method does not rise or a metric is NaN where it
// must not be.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ProximalError, resolveConfig, train } from "@proximal/core";

const { values: o } = parseArgs({
  options: {
    plugins: { type: "string" },
    seeds: { type: "string", default: "1" },
    steps: { type: "string" },
    set: { type: "string", multiple: true },
  },
});
const folder = "examples/algorithms";
const all = readdirSync(folder)
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => file.slice(0, -5));
const slugs = o.plugins?.split(",") ?? all;
const unknown = slugs.filter((slug) => !existsSync(join(folder, `${slug}.yaml`)));
if (unknown.length > 0) {
  console.error(`no config ${folder}/${unknown[0]}.yaml; there are ${all.join(", ")}`);
  process.exit(1);
}

const seeds = Array.from({ length: Number(o.seeds) }, (_, i) => i + 1);
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const third = (records, at) => {
  const size = Math.max(1, Math.floor(records.length / 3));
  return mean((at === "first" ? records.slice(0, size) : records.slice(-size)).map(({ reward }) => reward));
};
/** Fields that must be numbers in every step. */
const ALWAYS = ["loss", "gradNorm", "reward", "kl"];

const work = mkdtempSync(join(tmpdir(), "proximal-learn-"));
let failed = 0;
console.log("method".padEnd(28), "reward first third -> last third".padEnd(34), "held-out accuracy".padEnd(34), "seconds");
for (const slug of slugs) {
  const outcomes = [];
  try {
    for (const seed of seeds) {
      const output = join(work, `${slug}-${seed}`);
      const set = [`seed=${seed}`, ...(o.steps === undefined ? [] : [`trainer.steps=${o.steps}`]), ...(o.set ?? [])];
      const summary = await train(resolveConfig(join(folder, `${slug}.yaml`), { set }), { output });
      const records = readFileSync(join(output, "metrics.jsonl"), "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      const broken = ALWAYS.find((field) => records.some((record) => !Number.isFinite(record[field]) && record.updates > 0));
      outcomes.push({ first: third(records, "first"), last: third(records, "last"), broken, ...summary });
      rmSync(output, { recursive: true, force: true });
    }
  } catch (error) {
    failed++;
    console.log(slug.padEnd(28), error instanceof ProximalError ? error.describe() : error.stack);
    continue;
  }
  const range = (field) => outcomes.map((outcome) => (outcome[field] ?? Number.NaN).toFixed(3)).join(" ");
  const rises = mean(outcomes.map(({ last }) => last)) > mean(outcomes.map(({ first }) => first));
  const broken = outcomes.find((outcome) => outcome.broken !== undefined)?.broken;
  if (!rises || broken !== undefined) failed++;
  const verdict = broken === undefined ? (rises ? "" : "  reward does not rise") : `  ${broken} is not a number`;
  const seconds = mean(outcomes.map((outcome) => outcome.seconds)).toFixed(0);
  console.log(
    slug.padEnd(28),
    `${range("first")} -> ${range("last")}`.padEnd(34),
    `${range("evalAccuracyStart")} -> ${range("evalAccuracyEnd")}`.padEnd(34),
    seconds + verdict,
  );
}
rmSync(work, { recursive: true, force: true });
console.log(`${slugs.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
