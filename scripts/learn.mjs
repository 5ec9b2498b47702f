// Trains methods on the default task and says what came of it: npm run learn -- [--plugins a,b] [--seeds 1] [--steps N] [--share 0.25] [--again]
// `--share` takes that share of the prompts a step that the config asks for.
// Uses examples/algorithms/<plugin>.yaml, else the task `arithmetic` with the algorithm of that name. What is done is kept in
// docs/learning.json and left alone by the next call with the same steps and seeds; docs/learning.md is its table.
// Exit code 1 when the reward of some method does not rise or a metric is NaN where it must not be.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { contender, findTask, ProximalError, readRun, resolveConfig, train } from "@proximal/core";

const { values: o } = parseArgs({
  options: {
    plugins: { type: "string" },
    seeds: { type: "string", default: "1" },
    steps: { type: "string" },
    set: { type: "string", multiple: true, default: [] },
    share: { type: "string", default: "1" },
    again: { type: "boolean", default: false },
  },
});
const RESULTS = "docs/learning.json";
const TABLE = "docs/learning.md";
const all = readdirSync("plugins").filter((slug) => existsSync(join("plugins", slug, "manifest.json")));
const slugs = o.plugins?.split(",") ?? all;
const unknown = slugs.find((slug) => !all.includes(slug));
if (unknown !== undefined) {
  console.error(`there is no plugin "${unknown}"; there are ${all.join(", ")}`);
  process.exit(1);
}
const manifest = (slug) => JSON.parse(readFileSync(join("plugins", slug, "manifest.json"), "utf8"));

const seeds = Array.from({ length: Number(o.seeds) }, (_, i) => i + 1);
const setup = { seeds: seeds.length, steps: o.steps === undefined ? null : Number(o.steps), share: Number(o.share), set: o.set };
const results = existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, "utf8")) : {};
const isDone = (slug) => !o.again && JSON.stringify(results[slug]?.setup) === JSON.stringify(setup);

const [LEARNS, NO_RISE, NO_ALGORITHM, BEYOND] = ["learns", "reward does not rise", "no algorithm to train", "beyond the small models"];
/** Methods that the small models of the examples can not show, and what they need. */
const NEEDS = {
  "craft-gui": "operations on screens and a judge",
  "evol-rl": "boxed answers behind a chain of thought",
  "searchgym-rl": "a model that writes searches",
  thyme: "a model that writes code",
  "training-free-grpo": "a model that compares attempts in words (its weights stay as they are)",
};

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const third = (records, at) => {
  const rewards = records.map(({ reward }) => reward).filter(Number.isFinite);
  const size = Math.max(1, Math.floor(rewards.length / 3));
  return mean(at === "first" ? rewards.slice(0, size) : rewards.slice(-size));
};
/** Fields that must be numbers in every step with an update. */
const ALWAYS = ["loss", "gradNorm", "reward", "kl"];

const work = mkdtempSync(join(tmpdir(), "proximal-learn-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));

/** `short`: with the asked steps and share of prompts; otherwise those of the config. */
function configOf(slug, seed, output, { short }) {
  const example = `examples/algorithms/${slug}.yaml`;
  const set = [
    `seed=${seed}`,
    ...(o.steps === undefined || !short ? [] : [`trainer.steps=${o.steps}`]),
    "evaluation.every=0",
    "evaluation.limit=200",
    "engine.spinning=false", // changes no figure; leaves the machine to others
    ...o.set,
  ];
  const sized = short ? smaller : (resolve) => resolve([]);
  if (existsSync(example)) return sized((more) => resolveConfig(example, { set: [...set, ...more] }));
  const task = findTask("arithmetic", process.cwd());
  const value = { ...task.value, trainer: { steps: 80 } };
  return sized((more) => contender(slug, { ...task, value }, { set: [...set, ...more], cwd: process.cwd() }).config(seed, output));
}

/** The config with the asked share of its prompts a step. */
function smaller(resolve) {
  const config = resolve([]);
  const name = ["targetGroups", "promptsPerStep"].find((option) => typeof config.sampler?.options[option] === "number");
  if (setup.share === 1 || name === undefined) return config;
  return resolve([`sampler.${name}=${Math.max(1, Math.round(config.sampler.options[name] * setup.share))}`]);
}

async function learn(slug) {
  const { algorithms } = manifest(slug);
  if (!existsSync(`examples/algorithms/${slug}.yaml`) && algorithms[slug] === undefined) return { verdict: NO_ALGORITHM };
  const result = await trained(slug, { short: true });
  if (result.verdict !== NO_RISE) return result;
  if (slug in NEEDS) return { ...result, verdict: BEYOND };
  return o.steps === undefined && setup.share === 1 ? result : trained(slug, { short: false });
}

async function trained(slug, length) {
  const runs = [];
  for (const seed of seeds) {
    const output = join(work, `${slug}-${seed}`);
    const summary = await train(configOf(slug, seed, output, length), { output });
    const records = readRun(output).metrics();
    const broken = ALWAYS.find((field) => records.some((record) => !Number.isFinite(record[field]) && record.updates > 0));
    runs.push({
      first: third(records, "first"),
      last: third(records, "last"),
      accuracyBefore: summary.evalAccuracyStart,
      accuracyAfter: summary.evalAccuracyEnd,
      steps: records.length,
      skipped: summary.skippedUpdates,
      broken: broken ?? null,
    });
    rmSync(output, { recursive: true, force: true });
  }
  const rises = mean(runs.map(({ last }) => last)) > mean(runs.map(({ first }) => first));
  const broken = runs.find((run) => run.broken !== null)?.broken;
  return { verdict: broken !== undefined ? `${broken} is not a number` : rises ? LEARNS : NO_RISE, runs };
}

const PASSING = new Set([LEARNS, NO_ALGORITHM, BEYOND]);
const range = (runs, field, digits = 3) => (runs ?? []).map((run) => (run[field] ?? Number.NaN).toFixed(digits)).join(" ");

function writeTable() {
  const known = Object.keys(results).sort();
  const count = (verdict) => known.filter((slug) => results[slug].verdict === verdict).length;
  const failed = known.filter((slug) => !PASSING.has(results[slug].verdict));
  const missing = all.filter((slug) => results[slug] === undefined);
  const rows = known.map((slug) => {
    const { verdict, runs, setup } = results[slug];
    const steps = runs === undefined ? "–" : String(runs[0].steps);
    const change = (from, to) => (runs === undefined ? "–" : `${range(runs, from)} → ${range(runs, to)}`);
    return `| ${slug} | ${steps} | ${setup.seeds} | ${change("first", "last")} | ${change("accuracyBefore", "accuracyAfter")} | ${verdict.split("\n")[0].replaceAll("|", "\\|")} |`;
  });
  const unable = known.filter((slug) => slug in NEEDS).map((slug) => `${slug} needs ${NEEDS[slug]}`);
  const text = `# Does every method learn?

Written by \`npm run learn -- --steps 20 --share 0.25\`: each method trains a small model for 20 steps with one seed, as
\`examples/algorithms/<plugin>.yaml\` says (the arithmetic task, or the calculator for methods of tools), with a quarter of its
prompts a step. A method learns when the mean reward of the last third of the steps is above that of the first third and loss,
gradient norm, reward and KL are numbers in every step. Where the reward does not rise so soon, the run is made once more with all
steps and prompts of the example. This is a check that nothing is broken, no comparison: rewards have different scales, and steps
draw different numbers of responses ([compare.md](compare.md) is for that).
${unable.length === 0 ? "" : `\nThe examples of some methods start from a new network or ask more than a small model can write; they show how the parts are put\ntogether: ${unable.join(", ")}.\n`}
${known.length} packages: ${count(LEARNS)} learn, ${count(BEYOND)} are ${BEYOND}, ${count(NO_ALGORITHM)} without an algorithm${failed.length === 0 ? "." : `; not: ${failed.map((slug) => `${slug} (${results[slug].verdict.split("\n")[0]})`).join(", ")}.`}${missing.length === 0 ? "" : ` Not run yet: ${missing.join(", ")}.`}

| method | steps | seeds | reward, first → last third | held-out accuracy | |
|---|---|---|---|---|---|
${rows.join("\n")}
`;
  writeFileSync(TABLE, text);
  writeFileSync(RESULTS, `${JSON.stringify(Object.fromEntries(known.map((slug) => [slug, results[slug]])), null, 2)}\n`);
}

console.log("method".padEnd(28), "reward first third -> last third".padEnd(34), "held-out accuracy".padEnd(34), "seconds");
for (const slug of slugs) {
  if (isDone(slug)) continue;
  const start = performance.now();
  try {
    results[slug] = { setup, ...(await learn(slug)) };
  } catch (error) {
    if (!(error instanceof ProximalError)) throw error;
    results[slug] = { setup, verdict: error.describe() };
  }
  writeTable();
  const { runs, verdict } = results[slug];
  console.log(
    slug.padEnd(28),
    `${range(runs, "first")} -> ${range(runs, "last")}`.padEnd(34),
    `${range(runs, "accuracyBefore")} -> ${range(runs, "accuracyAfter")}`.padEnd(34),
    `${((performance.now() - start) / 1000).toFixed(0)}${verdict === LEARNS ? "" : `  ${verdict}`}`,
  );
}
const failed = slugs.filter((slug) => !PASSING.has(results[slug]?.verdict));
console.log(`${slugs.length - failed.length} passed, ${failed.length} failed${failed.length === 0 ? "" : `: ${failed.join(", ")}`}`);
process.exit(failed.length === 0 ? 0 : 1);
