// Writes the tokenizer and the multiplication problems of the tool example: node examples/tools/generate.mjs [seed]
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Random } from "@proximal/core";
import { writeTokenizer } from "../lib/character-tokenizer.mjs";

const [TRAIN, EVAL, WARM_START] = [2000, 300, 8000];
/** Share of the warm start's answers that call the calculator; the others guess. */
const CALLS = 0.3;

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const random = new Random(Number(process.argv[2] ?? 1));

/** "!" begins a direct answer, "[" and "]" stand around a call, ">" ends what the calculator says. */
const characters = [..."0123456789*=![]>"];
writeTokenizer(at("tokenizer"), characters);
mkdirSync(at("data"), { recursive: true });

const write = (name, records) => writeFileSync(at(`data/${name}.jsonl`), records.map((r) => `${JSON.stringify(r)}\n`).join(""));
const pairs = [...random.fork("pairs").permutation(90 * 90)].map((i) => [10 + Math.floor(i / 90), 10 + (i % 90)]);
const record = ([a, b]) => ({ prompt: `${a}*${b}=`, answer: String(a * b) });
write("eval", pairs.slice(0, EVAL).map(record));
write("train", pairs.slice(EVAL, EVAL + TRAIN).map(record));

/** A number with as many digits and the same first one. */
function guess(value, stream) {
  const [first, ...rest] = String(value);
  return first + rest.map(() => stream.integer(10)).join("");
}
const stream = random.fork("warm-start");
const warm = Array.from({ length: WARM_START }, () => {
  const [a, b] = pairs[EVAL + stream.integer(pairs.length - EVAL)];
  const product = a * b;
  const answer = stream.uniform() < CALLS ? `[${a}*${b}]${product}>${product}` : `!${guess(product, stream)}`;
  return { prompt: `${a}*${b}=`, answer };
});
write("warm-start", warm);
