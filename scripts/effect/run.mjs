// Runs the checks of a plugin's effect.yaml.
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { contender, estimate, findTask, pairedDifference, readRun, train } from "@proximal/core";
import { describeMeasure, measureRun } from "./measures.mjs";

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const merge = (a, b) =>
  isObject(a) && isObject(b)
    ? Object.fromEntries([...new Set([...Object.keys(a), ...Object.keys(b)])].map((key) => [key, merge(a[key], b[key])]))
    : (b ?? a);

/** The table task with one of the data sets of examples/table. */
function taskOf({ task = "single", run = {}, measure, baselineMeasure }) {
  const base = findTask("table", process.cwd());
  const file = `../table/${task}.jsonl`;
  const readsRollouts = [measure, baselineMeasure].some((one) => one?.rollouts !== undefined);
  const quick = {
    data: { train: file, eval: file },
    trainer: { steps: 60, tokenBudget: null, ...(readsRollouts ? {} : { rollouts: { keep: "none" } }) },
    evaluation: { every: 0 },
  };
  return { ...base, name: task, value: merge(merge(base.value, quick), run) };
}

const work = mkdtempSync(join(tmpdir(), "proximal-effect-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
/** Run folders by config: many checks have the same baseline. */
const done = new Map();

async function runOnce(config, seed) {
  const key = createHash("sha256")
    .update(JSON.stringify([config.config, seed], (name, value) => (name === "output" || name === "name" ? undefined : value)))
    .digest("hex")
    .slice(0, 16);
  if (!done.has(key)) {
    const output = join(work, key);
    await train({ ...config, seed, output, config: { ...config.config, seed, output } }, { output });
    rmSync(join(output, "checkpoints"), { recursive: true });
    done.set(key, readRun(output));
  }
  return done.get(key);
}

async function valuesOf(name, method, check, seeds, measure = check.measure) {
  const task = taskOf(check);
  const one = contender({ name, value: method }, task, { cwd: process.cwd() });
  const config = one.config(1, join(work, name));
  const records = new Map(
    readFileSync(resolve(task.folder, task.value.data.train), "utf8")
      .trim()
      .split("\n")
      .map((line) => [JSON.parse(line).prompt, JSON.parse(line)]),
  );
  const values = [];
  for (const seed of seeds) values.push(await measureRun(measure, await runOnce(config, seed), (prompt) => records.get(prompt)));
  return values;
}

const at = (value, path) => path.split(".").reduce((inner, key) => inner?.[key], value);

/** What a component makes of given inputs, by the plugin's conformance map. */
async function factOf(slug, { plugin = slug, component, options = {}, inputs, value }, shared) {
  const { default: map } = await import(resolve("plugins", plugin, "dist/src/conformance.js"));
  const run = map[component];
  if (run === undefined)
    throw new Error(`plugins/${plugin} has no conformance entry "${component}"; there are ${Object.keys(map).join(", ")}`);
  return at(await run(options, { ...shared, ...inputs }), value);
}

/** "shows", "does not show" or "opposite": whether the whole interval of the difference lies on the claimed side of 0. */
function verdictOf(expect, { mean, interval }) {
  const [low, high] = interval ?? [mean, mean];
  if (expect === "equal") return Math.max(Math.abs(low), Math.abs(high)) <= SAME ? "shows" : "does not show";
  const sign = expect === "higher" ? 1 : -1;
  const [worst, best] = [Math.min(sign * low, sign * high), Math.max(sign * low, sign * high)];
  return worst > 0 ? "shows" : best < 0 ? "opposite" : "does not show";
}

const SAME = 1e-9;

/** One check: values of method and baseline, their difference, and whether the claim shows. */
export async function runCheck(slug, check, seedCount) {
  const { claim, expect, note } = check;
  if (check.fact !== undefined) {
    const [method, baseline] = [
      await factOf(slug, { ...check.fact, ...check.method }, check.inputs),
      check.baseline === undefined ? null : await factOf(slug, { ...check.fact, ...check.baseline }, check.inputs),
    ];
    const holds =
      expect.value !== undefined
        ? Math.abs(method - expect.value) <= (expect.within ?? SAME)
        : expect === "equal"
          ? Math.abs(method - baseline) <= SAME
          : expect === "higher"
            ? method > baseline + SAME
            : method < baseline - SAME;
    return {
      claim,
      measure: check.fact.label,
      kind: "fact",
      method,
      baseline,
      expect,
      verdict: holds ? "shows" : "does not show",
      ...(note === undefined ? {} : { note }),
    };
  }
  const seeds = Array.from({ length: check.seeds ?? seedCount }, (_, i) => i + 1);
  const method = await valuesOf(`${slug}-method`, check.method, check, seeds);
  const baseline = await valuesOf(`${slug}-baseline`, check.baseline, check, seeds, check.baselineMeasure);
  const pairs = method.flatMap((value, i) => (value === null || baseline[i] === null ? [] : [[value, baseline[i]]]));
  if (pairs.length === 0) throw new Error(`the measure ${describeMeasure(check.measure)} has no value in any seed`);
  const difference = pairedDifference(
    pairs.map(([a]) => a),
    pairs.map(([, b]) => b),
  );
  return {
    claim,
    measure: describeMeasure(check.measure),
    kind: "training",
    setup: { task: check.task ?? "single", run: check.run ?? {}, method: check.method, baseline: check.baseline },
    seeds: seeds.length,
    method,
    baseline,
    means: { method: estimate(pairs.map(([a]) => a)), baseline: estimate(pairs.map(([, b]) => b)) },
    difference,
    expect,
    verdict: verdictOf(expect, difference),
    ...(note === undefined ? {} : { note }),
  };
}

export const effectFile = (slug) => join("plugins", slug, "effect.yaml");
export const hasEffect = (slug) => existsSync(effectFile(slug));
