// Writes the problems of the table task: prompts whose answers the untrained table gives with known probability.
// node examples/table/generate.mjs
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CharTokenizer, TabularPolicy } from "@proximal/core";

/** As in examples/tasks/table.yaml. */
const MODEL = { alphabet: "01234?", spread: 2, seed: 7 };
const DIGITS = ["0", "1", "2", "3", "4"];
const tokenizer = new CharTokenizer(MODEL.alphabet);
const policy = new TabularPolicy({ tokenizer, spread: MODEL.spread, seed: MODEL.seed });

/** Probability of each answer, its stop token included, before training. */
async function probabilities(prompt, answers) {
  const rows = answers.map((answer) => ({ prompt: tokenizer.encode(prompt), response: Int32Array.of(...tokenizer.encode(answer), 0) }));
  const { logp } = await policy.score(rows, { outputs: ["logp"], temperature: 1 });
  let at = 0;
  return rows.map(({ response }) => {
    at += response.length;
    return Math.exp(logp.subarray(at - response.length, at).reduce((sum, x) => sum + x, 0));
  });
}

const prompts = DIGITS.flatMap((a) => DIGITS.flatMap((b) => DIGITS.map((c) => `${a}${b}${c}?`)));
const pairs = DIGITS.flatMap((a) => DIGITS.map((b) => a + b));
const rounded = (p) => Number(p.toPrecision(3));
const write = (name, records) =>
  writeFileSync(fileURLToPath(new URL(`${name}.jsonl`, import.meta.url)), records.map((record) => `${JSON.stringify(record)}\n`).join(""));
const table = new Map();
for (const prompt of prompts) table.set(prompt, await probabilities(prompt, pairs));

/** For each target the unused prompt and answer whose probability is nearest to it. */
function choose(targets, used = new Set()) {
  return targets.map((target) => {
    const distance = ([, p]) => Math.abs(Math.log(p / target));
    const options = [...table].filter(([prompt]) => !used.has(prompt)).flatMap(([prompt, ps]) => ps.map((p, i) => [prompt, p, pairs[i]]));
    const [prompt, p, answer] = options.reduce((best, option) => (distance(option) < distance(best) ? option : best));
    used.add(prompt);
    return { prompt, answer, p };
  });
}

// One answer a prompt, from easy to nearly impossible, evenly in the logarithm.
const COUNT = 40;
const targets = Array.from({ length: COUNT }, (_, i) => 0.4 * (0.003 / 0.4) ** (i / (COUNT - 1)));
write(
  "single",
  choose(targets).map(({ prompt, answer, p }, i) => ({
    prompt,
    answer,
    difficulty: rounded(1 - p),
    success: rounded(p),
    stratum: i < COUNT / 2 ? 0 : 1,
    domain: i % 2 === 0 ? "even" : "odd",
    bundle: i % 8,
    hints: [answer.slice(0, 1), answer],
    solution: answer,
  })),
);

// Three accepted answers: a likely, an unlikely and a rare one.
const ranks = [0.15, 0.03, 0.008];
const fitted = (ps) => {
  const chosen = [];
  for (const rank of ranks) {
    const free = ps.map((p, i) => [p, i]).filter(([, i]) => !chosen.includes(i));
    chosen.push(free.reduce((best, one) => (Math.abs(Math.log(one[0] / rank)) < Math.abs(Math.log(best[0] / rank)) ? one : best))[1]);
  }
  return { chosen, error: Math.max(...chosen.map((i, k) => Math.abs(Math.log(ps[i] / ranks[k])))) };
};
write(
  "several",
  [...table]
    .map(([prompt, ps]) => ({ prompt, ps, ...fitted(ps) }))
    .sort((a, b) => a.error - b.error)
    .slice(0, 24)
    .map(({ prompt, ps, chosen }) => ({ prompt, answer: chosen.map((i) => pairs[i]), success: chosen.map((i) => rounded(ps[i])) })),
);

// Right is what ends with the right digit: answers of one to four digits, the long ones likelier at first.
const LONGEST = 4;
const strings = [DIGITS];
while (strings.length < LONGEST) strings.push(strings.at(-1).flatMap((text) => DIGITS.map((digit) => text + digit)));
/** Probability and mean length, before training, of the answers that end with `last` behind at least `digits` - 1 others. */
async function endingWith(prompt, last, digits = 1) {
  const answer = strings
    .slice(digits - 1)
    .flat()
    .filter((text) => text.endsWith(last));
  const ps = await probabilities(prompt, answer);
  const total = ps.reduce((sum, p) => sum + p, 0);
  return { prompt, answer, success: rounded(total), length: ps.reduce((sum, p, i) => sum + p * answer[i].length, 0) / total };
}

const shown = ({ length, ...record }) => ({ ...record, length: rounded(length) });
const lengths = [];
for (const prompt of prompts) {
  const found = await Promise.all(DIGITS.map((last) => endingWith(prompt, last)));
  lengths.push(found.sort((a, b) => b.success - a.success)[1]);
}
write(
  "lengths",
  lengths
    .filter(({ success }) => success > 0.05 && success < 0.4)
    .sort((a, b) => b.length - a.length)
    .slice(0, 24)
    .map(shown),
);

// Right is what ends with the right digit and is as long as the prompt needs: one, two or three digits, or longer ones up to four.
const needs = [];
for (const [digits, success] of [
  [1, 0.3],
  [2, 0.15],
  [3, 0.075],
]) {
  const used = new Set(needs.map(({ prompt }) => prompt));
  const found = [];
  for (const prompt of prompts.filter((one) => !used.has(one)))
    for (const last of DIGITS) found.push({ needs: digits, ...(await endingWith(prompt, last, digits)) });
  found.sort((a, b) => Math.abs(Math.log(a.success / success)) - Math.abs(Math.log(b.success / success)));
  const first = new Map(found.toReversed().map((record) => [record.prompt, record]));
  needs.push(...found.filter((record) => first.get(record.prompt) === record).slice(0, 8));
}
write("needs", needs.map(shown));
