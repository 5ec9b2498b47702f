import { type PromiseName, Random, type StepRecord, toJson, type Watchdog } from "@proximal/core";
import { check } from "@proximal/core/testing";
import { type Check, type Effort, promiseCheck, type Work, within } from "./check.js";
import { optionSets } from "./options.js";
import { build, type Subject } from "./subject.js";

/** Metrics that runs have, with a usual value each. */
const USUAL: Readonly<Record<string, number>> = {
  loss: 0.1,
  reward: 0.5,
  rewardStd: 0.4,
  fracZeroStd: 0.3,
  kl: 0.01,
  entropy: 0.8,
  entropyEstimate: 0.8,
  length: 40,
  updates: 1,
  skipped: 0,
  gradNorm: 0.5,
  learningRate: 1e-5,
  weightsChanged: 0.9,
  logpGap: 1e-4,
  logpGapMax: 1e-3,
  "rewardShare.format": 0.5,
};

/** Random walks around the usual values, with gaps: metrics that do not exist in a step, or in no step yet. */
function walk(seed: number, steps: number): StepRecord[] {
  const random = new Random(seed);
  const level = { ...USUAL };
  return Array.from({ length: steps }, (_, step) => {
    const entries = Object.keys(level).flatMap((name) => {
      level[name] = Math.max(0, level[name]! * Math.exp(random.normal() / 2));
      const gap = random.uniform();
      return gap < 0.1 ? [] : [[name, gap < 0.2 ? null : level[name]!] as const];
    });
    return { step: step + 1, ...Object.fromEntries(entries) };
  });
}

const everywhere = (value: number | null, steps: number): StepRecord[] =>
  Array.from({ length: steps }, (_, step) => ({ step: step + 1, ...Object.fromEntries(Object.keys(USUAL).map((name) => [name, value])) }));

const ODD: Readonly<Record<string, readonly StepRecord[]>> = {
  "one step without any metric": [{}],
  "metrics that never exist": everywhere(null, 30),
  "metrics of 0": everywhere(0, 30),
  "metrics of -1": everywhere(-1, 30),
  "metrics of 1e30": everywhere(1e30, 30),
  "metrics of 1e-30": everywhere(1e-30, 30),
  "a jump from 0 to 1e30": [...everywhere(0, 20), ...everywhere(1e30, 20)],
  "metrics that cease": [...everywhere(1, 20), ...everywhere(null, 20)],
};

/** What a watchdog says, which must be null or a sentence; it may not touch what it looks at. */
function answer(instance: Watchdog, history: readonly StepRecord[]): string | null {
  const given = structuredClone(history);
  const said = instance.check(given);
  check(toJson(given) === toJson(history), "it changes the history that it is given");
  check(
    said === null || (typeof said === "string" && said.trim() !== ""),
    `it says ${JSON.stringify(said)}: a sentence or null is expected`,
  );
  const odd = said?.match(/\b(NaN|undefined|Infinity|null)\b|\[object/);
  check(!odd, `it says "${said}"`);
  return said;
}

/** Promises of a watchdog. */
export function watchdogChecks(subject: Subject<Watchdog>, effort: Effort): Check[] {
  const { name, metadata, examples } = subject;
  const one = (promise: PromiseName, go: Work) => promiseCheck(name, promise, metadata.exceptions?.[promise], go, effort);
  const walks = Array.from({ length: 4 * effort.runs }, (_, seed) => walk(seed + 1, 1 + ((7 * seed) % 40)));
  return [
    one("deterministic", () => {
      const [instance, other] = [build(subject), build(subject)];
      for (const history of walks) {
        const said = answer(instance, history);
        for (const again of [instance, other])
          check(
            answer(again, history) === said,
            `it says ${JSON.stringify(said)}, and something else about the same history a second time`,
          );
      }
    }),
    one("state", () => {
      const used = build(subject);
      const { quiet = [], trouble = [] } = examples.histories?.[name] ?? {};
      for (const history of [...walks, trouble, quiet])
        for (let step = 1; step <= history.length; step++) {
          const past = history.slice(0, step);
          const [followed, fresh] = [answer(used, past), answer(build(subject), past)];
          check(
            followed === fresh,
            `having seen other histories it says ${JSON.stringify(followed)}, a new instance ${JSON.stringify(fresh)}`,
          );
        }
    }),
    one("hostile", async () => {
      for (const [what, history] of Object.entries(ODD)) await within(what, () => answer(build(subject), history));
    }),
    one("trigger", () => {
      const given = examples.histories?.[name];
      if (given === undefined) throw new Error(`the export examples of src/conformance.ts has no histories["${name}"]: { quiet, trouble }`);
      const instance = build(subject);
      given.quiet.forEach((_, step) => {
        const said = answer(instance, given.quiet.slice(0, step + 1));
        check(said === null, `in step ${step + 1} of the run that goes well it says "${said}"`);
      });
      check(answer(instance, given.trouble) !== null, "it says nothing at the end of the run that ends in its trouble");
    }),
    one("borders", async () => {
      for (const { title, options } of optionSets(subject)) {
        const instance = build(subject, options);
        await within(`with ${title}`, () => [...walks, ...Object.values(ODD)].map((history) => answer(instance, history)));
      }
    }),
  ];
}
