import { isDeepStrictEqual } from "node:util";
import {
  ANSWER_COLUMNS,
  answerTexts,
  type Batch,
  DataError,
  options,
  type RewardModel,
  type RewardResult,
  rewardModel,
  type Static,
  Type,
  textPattern,
} from "@proximal/core";
import { type Limits, sandbox } from "@proximal/sandbox";
import { limitOptions } from "./limit-options.js";

export const codeTestsOptions = Type.Object({
  codePattern: Type.String({
    default: "```(?:js|javascript)?\\s*\\n([\\s\\S]*?)```",
    description: "Its first group is the program; the last match counts, and a completion without one earns nothing",
  }),
  score: Type.Union([Type.Literal("all"), Type.Literal("share")], {
    default: "all",
    description: "all: 1 when every test passes; share: the share of tests that pass",
  }),
  tolerance: Type.Number({
    default: 1e-9,
    minimum: 0,
    description: "Largest accepted difference of numbers, relative to max(1, |expected|)",
  }),
  ...limitOptions,
});

/** A test of a record: the value of the expression `call`, once the program has run, shall be `expected`. */
export interface CodeTest {
  call: string;
  expected: unknown;
}

/** Equal JSON values; numbers within the tolerance. */
export function sameValue(given: unknown, expected: unknown, tolerance: number): boolean {
  if (typeof given === "number" && typeof expected === "number")
    return Math.abs(given - expected) <= tolerance * Math.max(1, Math.abs(expected));
  if (Array.isArray(given) || Array.isArray(expected))
    return (
      Array.isArray(given) &&
      Array.isArray(expected) &&
      given.length === expected.length &&
      given.every((value, i) => sameValue(value, expected[i], tolerance))
    );
  if (typeof given === "object" && typeof expected === "object" && given !== null && expected !== null) {
    const [a, b] = [given, expected] as Record<string, unknown>[];
    const names = Object.keys(a!).sort();
    return isDeepStrictEqual(names, Object.keys(b!).sort()) && names.every((name) => sameValue(a![name], b![name], tolerance));
  }
  return given === expected;
}

/**
 * Share of tests that a program passes, in [0, 1]. Each test has an interpreter of its own in which the program runs first, so
 * that a call that spoils the world spoils it for itself. Values are compared outside of it: a program sees neither the
 * expected values nor the comparison.
 */
export async function passedShare(program: string, tests: readonly CodeTest[], limits: Partial<Limits>, tolerance = 1e-9): Promise<number> {
  const passed = await Promise.all(
    tests.map(async ({ call, expected }) => {
      const [setUp, result] = await sandbox().run([program, `(${call}\n)`], limits);
      return setUp!.ok && result!.value !== undefined && sameValue(JSON.parse(result!.value), expected, tolerance);
    }),
  );
  return passed.filter(Boolean).length / tests.length;
}

@rewardModel({
  id: "code-tests",
  description: "Runs the completion's JavaScript against the record's tests, in a sandbox",
  options: codeTestsOptions,
  reads: [...ANSWER_COLUMNS, { name: "tests", at: "row", dtype: "json" }],
  writes: ["correct"],
})
export class CodeTestsReward implements RewardModel {
  private readonly program: RegExp;

  constructor(@options() private readonly o: Static<typeof codeTestsOptions>) {
    this.program = textPattern(o.codePattern, "codePattern", "gu");
  }

  async score(batch: Batch): Promise<RewardResult> {
    const tests = batch.json<readonly CodeTest[] | null>("tests").map(checked);
    const programs = answerTexts(batch).map((text) => [...text.matchAll(this.program)].at(-1)?.[1]);
    const shares = await Promise.all(
      programs.map(async (program, row) => {
        if (tests[row]!.length === 0) return null;
        return program === undefined ? 0 : passedShare(program, tests[row]!, this.o, this.o.tolerance);
      }),
    );
    const correct = shares.map((share) => (share === null ? null : share === 1 ? 1 : 0));
    return {
      rewards: this.o.score === "all" ? correct : shares,
      components: { passed: shares, program: programs.map((program) => (program === undefined ? 0 : 1)) },
      columns: { correct },
    };
  }
}

/** Errors: `DataError` for tests that are none; a record without tests is unverifiable. */
function checked(tests: readonly CodeTest[] | null): readonly CodeTest[] {
  const list = tests ?? [];
  const isTest = (test: unknown) => typeof (test as CodeTest | null)?.call === "string" && (test as CodeTest).expected !== undefined;
  if (Array.isArray(list) && list.every(isTest)) return list;
  throw new DataError("these are no tests", { path: "tests", given: tests, accepted: '[{ "call": "add(1, 2)", "expected": 3 }, …]' });
}
