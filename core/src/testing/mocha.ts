import { readFileSync } from "node:fs";
import { type ConformanceMap, compare } from "../conformance/index.js";
import type { ConformanceDocument } from "../conformance/run.js";
import type { TermCase } from "../conformance/terms.js";
import { promiseOf, type TermCheckOptions, termChecks } from "./terms.js";

declare const describe: (title: string, body: () => void) => void;
declare const it: (title: string, body: () => void | Promise<void>) => void;

/** One mocha test for every case of a file of conformance vectors. */
export function testVectors(file: URL, map: ConformanceMap): void {
  const parsed = JSON.parse(readFileSync(file, "utf8")) as ConformanceDocument | ConformanceDocument[];
  for (const document of Array.isArray(parsed) ? parsed : [parsed]) {
    const key = document.kind === undefined ? document.component : `${document.component}/${document.kind}`;
    describe(`${document.paper} ${key}`, () => {
      for (const testCase of document.cases) {
        it(`reproduces: ${testCase.name}`, async () => {
          const actual = await map[key]!(testCase.options ?? {}, testCase.inputs);
          const difference = compare(testCase.expected, actual, testCase.tolerance);
          if (difference !== null) {
            throw new Error(
              `${difference.path}: expected ${JSON.stringify(difference.expected)}, got ${JSON.stringify(difference.actual)}`,
            );
          }
        });
      }
    });
  }
}

/** The checks of `termChecks` as mocha tests. */
export function testTerms(title: string, terms: TermCase | readonly TermCase[], options: TermCheckOptions = {}): void {
  describe(title, () => {
    for (const [name, run] of Object.entries(termChecks(terms, options))) it(promiseOf(name), run);
  });
}
