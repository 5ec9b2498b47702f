import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ExportedRecord, type ExportedRun, type Exporter, type PromiseName, type RunOutcome, toJson } from "@proximal/core";
import { check } from "@proximal/core/testing";
import { type Check, type Effort, promiseCheck, type Work, within } from "./check.js";
import { optionSets } from "./options.js";
import { build, type Subject } from "./subject.js";

const runIn = (folder: string, from = 0): ExportedRun => ({
  name: "sums",
  kind: "train",
  folder,
  config: { seed: 7, optimizer: { learningRate: 3e-4 }, rewards: [{ use: "exact-match" }], data: null },
  from,
});

/** 2026-01-02T03:04:05Z plus the step in seconds. */
const record = (step: number, values: ExportedRecord["values"]): ExportedRecord => ({
  step,
  time: Date.UTC(2026, 0, 2, 3, 4, 5) + 1000 * step,
  values: { step, ...values },
});

/** Metrics that come and go, as those of a run do. */
const usual = (step: number, shift = 0): ExportedRecord =>
  record(step, {
    reward: step / 8 + shift,
    "reward.format": step % 2 === 0 ? null : 0.25,
    'reward.an "odd",\nname': 3,
    ...(step > 2 ? { "pass@4": -1.5 * step - shift } : {}),
  });

const HOSTILE: readonly ExportedRecord[] = [
  record(1, {}),
  record(2, { "a,b": 1, 'a "quoted" name': 2, "two\nlines": 3, "π 😀": 4, "a/b.c@d": 5, "": 6, " ": 7, __proto__: 8, constructor: 9 }),
  record(
    3,
    Object.fromEntries([
      ["__proto__", 1],
      ["x".repeat(500), 2],
    ]),
  ),
  record(4, { huge: 1.7e308, tiny: 5e-324, negative: -0, large: 2 ** 53 }),
  record(5, { gone: null }),
  record(6, Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`metric.${i}`, i]))),
];

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), "proximal-exporter-"));
  try {
    return await work(root);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** Folder of an exporter, made as the host makes it. */
const made = (folder: string): string => {
  mkdirSync(folder, { recursive: true });
  return folder;
};

/** One run as the host tells of it: `batches` in order, one call each. */
async function told(
  exporter: Exporter,
  run: ExportedRun,
  batches: readonly (readonly ExportedRecord[])[],
  outcome: RunOutcome,
): Promise<void> {
  const given = structuredClone({ run, batches });
  await exporter.open(given.run);
  for (const records of given.batches) await exporter.write(records);
  await exporter.close(outcome);
  check(toJson(given) === toJson({ run, batches }), "it changes what it is given");
}

/** Promises of an exporter. */
export function exporterChecks(subject: Subject<Exporter>, effort: Effort): Check[] {
  const { name, metadata } = subject;
  const one = (promise: PromiseName, go: Work) => promiseCheck(name, promise, metadata.exceptions?.[promise], go, effort);
  return [
    one("delivery", () => inFolder((root) => delivery(subject, made(join(root, "exports"))))),
    one("hostile", () =>
      inFolder(async (root) => {
        await told(build(subject), runIn(made(join(root, "exports"))), [HOSTILE.slice(0, 3), HOSTILE.slice(3)], "finished");
        for (const outcome of ["finished", "stopped", "failed"] as const)
          await told(build(subject), runIn(made(join(root, outcome))), [], outcome);
      }),
    ),
    one("failure", () =>
      inFolder(async (root) => {
        const exporter = build(subject);
        const blocked = join(root, "a file");
        writeFileSync(blocked, "");
        try {
          await exporter.open(runIn(join(blocked, "exports")));
        } catch (error) {
          check(
            error instanceof Error && error.message !== "",
            `where its folder cannot be, it throws ${String(error)} in place of an error`,
          );
        }
        await told(exporter, runIn(made(join(root, "exports"))), [[usual(1)]], "finished");
      }),
    ),
    one("borders", async () => {
      for (const { title, options } of optionSets(subject))
        await inFolder((root) =>
          within(`with ${title}`, () =>
            told(build(subject, options), runIn(made(join(root, "exports"))), [[usual(1)], [usual(2), usual(3)]], "finished"),
          ),
        );
    }),
  ];
}

/** A run that breaks off behind step 6 and goes on from step 4, and what arrived of it. */
async function delivery(subject: Subject<Exporter>, folder: string): Promise<string[]> {
  const first = [1, 2, 3, 4, 5, 6].map((step) => usual(step));
  const second = [5, 6, 7].map((step) => usual(step, 0.125));
  await told(build(subject), runIn(folder), [first.slice(0, 1), first.slice(1, 3), first.slice(3)], "failed");
  await told(build(subject), runIn(folder, 4), [second], "finished");
  const read = subject.examples.exported?.[subject.name];
  if (read === undefined) return [`nothing was read back: the export examples of src/conformance.ts has no exported["${subject.name}"]`];
  const arrived = await read(folder);
  const expected = [...first.slice(0, 4), ...second];
  const steps = [...arrived.keys()];
  check(toJson(steps) === toJson(expected.map(({ step }) => step)), `the steps 1 to 7 were given, and ${steps.join(", ")} arrived`);
  for (const { step, values } of expected) {
    const { step: _, ...got } = arrived.get(step)!;
    const { step: __, ...given } = values;
    const existing = Object.entries(given).filter(([, value]) => value !== null) as [string, number][];
    check(
      Object.keys(got).length === existing.length,
      `step ${step} has ${existing.map(([key]) => key).join(", ")}, and ${Object.keys(got).join(", ")} arrived`,
    );
    for (const [key, value] of existing) {
      const near = Math.abs((got[key] ?? Number.NaN) - value) <= 1e-6 * Math.abs(value);
      check(near, `step ${step}: ${key} is ${value}, and ${got[key]} arrived`);
    }
  }
  return [];
}
