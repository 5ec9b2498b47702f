import { FULL, type Outcome, QUICK, runChecks } from "./check.js";
import { loadPackage, packageChecks } from "./package.js";

export interface CheckFlags {
  /** Many more random batches, and every check under every option set. */
  full?: boolean;
  /** One JSON value in place of lines. */
  json?: boolean;
}

/** Runs all checks of the package in `folder` and prints them; whether all hold. */
export async function checkFolder(folder: string, { full = false, json = false }: CheckFlags = {}): Promise<boolean> {
  const loaded = await loadPackage(folder);
  const effort = full ? FULL : QUICK;
  let subject = "";
  const outcomes = await runChecks(packageChecks(loaded, effort), (outcome) => {
    if (json) return;
    if (outcome.subject !== subject) console.log(outcome.subject);
    subject = outcome.subject;
    console.log(lines(outcome).join("\n"));
  });
  const passed = outcomes.every((outcome) => outcome.passed);
  if (json) console.log(JSON.stringify({ name: loaded.name, passed, outcomes }, null, 2));
  else console.log(summary(loaded.name, outcomes));
  return passed;
}

const lines = ({ passed, promise, reason, warnings }: Outcome): string[] => [
  `  ${passed ? "ok  " : "FAIL"} ${promise}`,
  ...(reason === undefined ? [] : reason.split("\n").map((line) => `       ${line}`)),
  ...warnings.map((warning) => `       warning: ${warning}`),
];

function summary(name: string, outcomes: readonly Outcome[]): string {
  const failed = outcomes.filter((outcome) => !outcome.passed).length;
  const warnings = outcomes.reduce((sum, outcome) => sum + outcome.warnings.length, 0);
  return `${name}: ${outcomes.length - failed} passed, ${failed} failed${warnings > 0 ? `, ${warnings} warnings` : ""}`;
}
