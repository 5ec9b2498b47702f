// Writes the arithmetic problems of the examples: sums of numbers without zeros, answers least significant digit first.
// node examples/arithmetic/generate.mjs [seed]
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Random } from "@proximal/core";

/** Digits of the operands, by level. */
const LEVELS = [
  { level: 1, digits: 2, train: 3000 },
  { level: 2, digits: 3, train: 3000 },
];
const EVAL = 500;
/** Share of the warm start's answers that leave out every carry: what reinforcement learning has to unlearn. */
const WITHOUT_CARRY = 0.6;
const WARM_START = 12000;

const folder = fileURLToPath(new URL("data/", import.meta.url));
const random = new Random(Number(process.argv[2] ?? 1));

/** [a, b] as digits, least significant first. */
const operands = (stream, digits) => [0, 1].map(() => Array.from({ length: digits }, () => 1 + stream.integer(9)));

/** Digits of the sum, least significant first; without `carrying` every column keeps its last digit only. */
function add(a, b, carrying) {
  const sum = [];
  let carry = 0;
  for (let i = 0; i < a.length; i++) {
    const column = a[i] + b[i] + carry;
    carry = carrying && column >= 10 ? 1 : 0;
    sum.push(column % 10);
  }
  return [...sum, ...(carry ? [1] : [])].join("");
}

function record([a, b], level, carrying = true) {
  const text = (digits) => [...digits].reverse().join("");
  let [carries, carry] = [0, 0];
  for (let i = 0; i < a.length; i++) carries += carry = a[i] + b[i] + carry >= 10 ? 1 : 0;
  return { prompt: `${text(a)}+${text(b)}=`, answer: add(a, b, carrying), level, carries };
}

const write = (name, records) => writeFileSync(`${folder}${name}.jsonl`, records.map((r) => `${JSON.stringify(r)}\n`).join(""));

mkdirSync(folder, { recursive: true });
const held = new Set();
for (const { level, digits, train } of LEVELS) {
  const stream = random.fork("level", level);
  const seen = new Map();
  while (seen.size < EVAL + train) {
    const pair = operands(stream, digits);
    seen.set(pair.join("|"), pair);
  }
  const pairs = [...seen];
  for (const [key] of pairs.slice(0, EVAL)) held.add(key);
  write(
    `level${level}.eval`,
    pairs.slice(0, EVAL).map(([, pair]) => record(pair, level)),
  );
  write(
    `level${level}.train`,
    pairs.slice(EVAL).map(([, pair]) => record(pair, level)),
  );
}

const stream = random.fork("warm-start");
const warm = [];
while (warm.length < WARM_START) {
  const { level, digits } = LEVELS[warm.length % LEVELS.length];
  const pair = operands(stream, digits);
  if (!held.has(pair.join("|"))) warm.push(record(pair, level, stream.uniform() >= WITHOUT_CARRY));
}
write("warm-start", warm);
