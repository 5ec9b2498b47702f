import { isDeepStrictEqual } from "node:util";
import { type Embedder, type JudgeModel, type JudgeRequest, type PromiseName, ServiceError } from "@proximal/core";
import { check } from "@proximal/core/testing";
import { type Check, type Effort, promiseCheck, type Work, within } from "./check.js";
import { optionSets } from "./options.js";
import { build, type Subject } from "./subject.js";

const TEXTS = [
  "",
  " ",
  "42",
  "the answer is 42",
  "a\n\nb",
  "π 😀 \uD800",
  "\u0000",
  "</answer>",
  '{"score": 11}',
  "__proto__",
  "x".repeat(5000),
];

const REQUESTS: readonly JudgeRequest[] = TEXTS.flatMap((completion, i) => [
  { prompt: "6 * 7", completion },
  { prompt: TEXTS[TEXTS.length - 1 - i]!, completion, rubric: "Is it right?", references: ["42", ""] },
  { prompt: "", completion, references: [] },
]);

/** What a judge makes of requests: as many grades, each in [0, 1] or null. */
async function grades(judge: JudgeModel, requests: readonly JudgeRequest[]): Promise<(number | null)[]> {
  const given = structuredClone(requests);
  const found = await judge.grade(given);
  check(isDeepStrictEqual(given, requests), "it changes the requests that it is given");
  check(found.length === requests.length, `it gives ${found.length} grades for ${requests.length} requests`);
  found.forEach((grade, i) => {
    const where = `of ${JSON.stringify(requests[i]!.completion.slice(0, 40))}`;
    check(grade === null || (grade >= 0 && grade <= 1), `the grade ${where} is ${grade}: a number from 0 to 1 or null is expected`);
  });
  return found;
}

/** Vectors of texts: as many, all of one length, each of norm 1. */
async function vectors(embedder: Embedder, texts: readonly string[]): Promise<number[][]> {
  const given = [...texts];
  const found = await embedder.embed(given);
  check(isDeepStrictEqual(given, texts), "it changes the texts that it is given");
  check(found.length === texts.length, `it gives ${found.length} vectors for ${texts.length} texts`);
  found.forEach((vector, i) => {
    const where = `the vector of ${JSON.stringify(texts[i]!.slice(0, 40))}`;
    check(
      vector.length === found[0]!.length && vector.length > 0,
      `${where} has ${vector.length} entries, that of the first ${found[0]!.length}`,
    );
    const norm = Math.hypot(...vector);
    check(Math.abs(norm - 1) <= 1e-6, `${where} has the norm ${norm}: 1 is expected`);
  });
  return found;
}

/** A server that refuses, or is not given the time to answer, is no mistake of the component. */
function ignoreServer(error: unknown): void {
  if (!(error instanceof ServiceError)) throw error;
}

/** Promises of what answers a list, item by item. */
function answererChecks<C, I>(
  subject: Subject<C>,
  effort: Effort,
  items: readonly I[],
  answer: (model: C, items: readonly I[]) => Promise<unknown[]>,
): Check[] {
  const { name, metadata } = subject;
  const one = (promise: PromiseName, go: Work) => promiseCheck(name, promise, metadata.exceptions?.[promise], go, effort);
  return [
    one("deterministic", async () => {
      const model = build(subject);
      const whole = await answer(model, items);
      for (const again of [model, build(subject)])
        check(isDeepStrictEqual(await answer(again, items), whole), "it answers the same list differently a second time");
      for (const [i, item] of items.entries()) {
        const [alone] = await answer(build(subject), [item]);
        check(isDeepStrictEqual(alone, whole[i]), `its answer to item ${i} depends on what else is in the list`);
      }
    }),
    one("hostile", async () => {
      const model = build(subject);
      check((await answer(model, [])).length === 0, "it answers an empty list with something");
      for (const item of items) await answer(model, [item, item]);
    }),
    one("borders", async () => {
      for (const { title, options } of optionSets(subject)) {
        await within(`with ${title}`, () => answer(build(subject, options), items).catch(ignoreServer));
      }
    }),
  ];
}

/** Promises of a judge. */
export const judgeChecks = (subject: Subject<JudgeModel>, effort: Effort): Check[] => answererChecks(subject, effort, REQUESTS, grades);

/** Promises of an embedder. */
export const embedderChecks = (subject: Subject<Embedder>, effort: Effort): Check[] => answererChecks(subject, effort, TEXTS, vectors);
