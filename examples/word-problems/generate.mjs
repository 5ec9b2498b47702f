// Writes arithmetic word problems with small numbers, easy enough that a small chat model is sometimes right: a conversation in
// which two problems are answered with an equation, then the problem.
// node examples/word-problems/generate.mjs [seed]
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Random } from "@proximal/core";

const EVAL = 150;
const NAMES = [
  "Ada",
  "Ben",
  "Chloe",
  "David",
  "Emma",
  "Farid",
  "Grace",
  "Hugo",
  "Ines",
  "Jonas",
  "Kim",
  "Lena",
  "Maria",
  "Noah",
  "Olga",
  "Paul",
];
const THINGS = ["apples", "books", "cards", "coins", "cookies", "eggs", "flowers", "marbles", "pencils", "shells", "stamps", "stickers"];

const SHOWN = [
  ["Ann has 2 pens and gets 3 more. How many pens does Ann have now?", "2 + 3 = 5"],
  ["Tom has 9 hats and gives 2 away. How many hats are left?", "9 - 2 = 7"],
];

/** [from, to] */
const between = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Kinds of problems: their numbers, wordings and answer, and whether the sum or difference crosses a ten. */
const KINDS = [
  {
    kind: "add",
    numbers: between(2, 12).flatMap((a) => between(2, 12).map((b) => [a, b])),
    answer: (a, b) => a + b,
    carries: (a, b) => (a % 10) + (b % 10) >= 10,
    texts: [
      (n, t, a, b) => `${n} has ${a} ${t} and gets ${b} more. How many ${t} does ${n} have now?`,
      (n, t, a, b) => `There are ${a} ${t} on the table. ${n} puts ${b} more there. How many ${t} are on the table?`,
      (n, t, a, b) => `${n} found ${a} ${t} on Monday and ${b} on Tuesday. How many ${t} did ${n} find in all?`,
    ],
  },
  {
    kind: "subtract",
    numbers: between(3, 15).flatMap((a) => between(1, a - 1).map((b) => [a, b])),
    answer: (a, b) => a - b,
    carries: (a, b) => a % 10 < b % 10,
    texts: [
      (n, t, a, b) => `${n} has ${a} ${t} and gives ${b} away. How many ${t} are left?`,
      (n, t, a, b) => `There were ${a} ${t} in the box. ${n} took ${b} out. How many ${t} are still in the box?`,
      (n, t, a, b) => `${n} needs ${a} ${t} and has ${b}. How many more ${t} does ${n} need?`,
    ],
  },
];

const random = new Random(Number(process.argv[2] ?? 1)).fork("word-problems");
const pick = (list) => list[random.integer(list.length)];

/** Every wording with every pair of numbers, once: no two problems differ by names or things alone. */
const problems = KINDS.flatMap(({ kind, numbers, answer, carries, texts }) =>
  texts.flatMap((text) =>
    numbers.map((drawn) => ({
      question: text(pick(NAMES), pick(THINGS), ...drawn),
      answer: String(answer(...drawn)),
      kind,
      carries: Number(carries(...drawn)),
    })),
  ),
);
const record = ({ question, answer, kind, carries }) => ({
  messages: [
    ...SHOWN.flatMap(([asked, given]) => [
      { role: "user", content: asked },
      { role: "assistant", content: given },
    ]),
    { role: "user", content: question },
  ],
  answer,
  kind,
  carries,
});

const folder = fileURLToPath(new URL("data/", import.meta.url));
mkdirSync(folder, { recursive: true });
const shuffled = Array.from(random.permutation(problems.length), (place) => record(problems[place]));
const write = (name, records) => writeFileSync(`${folder}${name}.jsonl`, records.map((r) => `${JSON.stringify(r)}\n`).join(""));
write("eval", shuffled.slice(0, EVAL));
write("train", shuffled.slice(EVAL));
