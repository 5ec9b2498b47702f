// Writes the tokenizer and the records of the text examples: node examples/text/generate.mjs [seed]
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Random } from "@proximal/core";
import { writeTokenizer } from "../lib/character-tokenizer.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const random = new Random(Number(process.argv[2] ?? 1));
const write = (name, records) => writeFileSync(at(`data/${name}.jsonl`), records.map((r) => `${JSON.stringify(r)}\n`).join(""));

/** One token a character: printable ASCII and the line break. */
const characters = ["\n", ...Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))];
writeTokenizer(at("tokenizer"), characters);
mkdirSync(at("data"), { recursive: true });

// A made-up world: nobody can answer its questions from memory. A person was born in a town, a town has a mayor, a mayor leads
// a guild, a guild has a sign.
const syllables = [
  "ba",
  "dor",
  "el",
  "fin",
  "gra",
  "hul",
  "is",
  "kem",
  "lo",
  "mar",
  "nis",
  "or",
  "pel",
  "quo",
  "ras",
  "tir",
  "ul",
  "vek",
  "wen",
  "zo",
];
const taken = new Set();
const stream = random.fork("names");
function name() {
  const parts = Array.from({ length: 3 }, () => syllables[stream.integer(syllables.length)]).join("");
  if (taken.has(parts)) return name();
  taken.add(parts);
  return parts[0].toUpperCase() + parts.slice(1);
}
const guilds = Array.from({ length: 8 }, () => ({
  name: `${name()} Guild`,
  sign: ["anchor", "lantern", "heron", "key"][stream.integer(4)],
}));
const mayors = guilds.map((guild) => ({ name: name(), guild }));
const towns = mayors.map((mayor) => ({ name: name(), mayor }));
const people = Array.from({ length: 16 }, () => ({ name: name(), town: towns[stream.integer(towns.length)] }));
const documents = [
  ...people.map(({ name, town }) => ({ title: name, text: `${name} is a traveller who was born in ${town.name}.` })),
  ...towns.map(({ name, mayor }) => ({ title: name, text: `${name} is a town. The mayor of ${name} is ${mayor.name}.` })),
  ...mayors.map(({ name, guild }) => ({ title: name, text: `${name} is a mayor and leads the ${guild.name}.` })),
  ...guilds.map(({ name, sign }) => ({ title: name, text: `The ${name} has a sign: the ${sign}.` })),
];
write(
  "world",
  documents.map((document, i) => ({ id: `w${i + 1}`, ...document })),
);
write("questions", [
  ...towns.map(({ name, mayor }) => ({ prompt: `Who is the mayor of ${name}?`, answer: mayor.name, hops: 1 })),
  ...people.map(({ name, town }) => ({ prompt: `In which town was ${name} born?`, answer: town.name, hops: 1 })),
  ...people.map(({ name, town }) => ({ prompt: `Who is the mayor of the town where ${name} was born?`, answer: town.mayor.name, hops: 2 })),
  ...people.map(({ name, town }) => ({
    prompt: `Which guild is led by the mayor of the town where ${name} was born?`,
    answer: town.mayor.guild.name,
    hops: 3,
  })),
]);

const program = (prompt, tests) => ({ prompt, tests: tests.map(([call, expected]) => ({ call, expected })) });
write("programs", [
  program("Write a function add(a, b) that adds two numbers.", [
    ["add(1, 2)", 3],
    ["add(-1, 1)", 0],
  ]),
  program("Write a function max(list) that gives the largest number of a list.", [
    ["max([3, 7, 5])", 7],
    ["max([-2])", -2],
  ]),
  program("Write a function reverse(text) that reverses a text.", [
    ["reverse('abc')", "cba"],
    ["reverse('')", ""],
  ]),
  program("Write a function even(n) that tells whether n is even.", [
    ["even(4)", true],
    ["even(7)", false],
  ]),
  program("Write a function sum(list) that adds up a list of numbers.", [
    ["sum([1, 2, 3])", 6],
    ["sum([])", 0],
  ]),
  program("Write a function unique(list) that leaves out what stood earlier in the list.", [["unique([1, 1, 2])", [1, 2]]]),
  program("Write a function factorial(n).", [
    ["factorial(5)", 120],
    ["factorial(0)", 1],
  ]),
  program("Write a function count(text, letter) that counts a letter in a text.", [["count('banana', 'a')", 3]]),
]);

const operation = (prompt, reference, trajectorySteps) => ({ prompt, taskKind: "operation", reference, trajectorySteps });
const understanding = (prompt, trajectorySteps) => ({
  prompt,
  taskKind: "understanding",
  reference: null,
  trajectorySteps,
});
const screen = "Screen: [Send] 10,20 to 60,40; [Back] 0,0 to 8,8; text field 10,50 to 90,60.";
write("gui", [
  operation(`${screen} Task: send the message.`, { type: "click", box: [10, 20, 60, 40] }, 1),
  operation(`${screen} Task: go back.`, { type: "click", box: [0, 0, 8, 8] }, 1),
  operation(`${screen} Task: see what is further down.`, { type: "scroll", direction: "down" }, 2),
  operation(`${screen} Task: write hello and send it. Next action?`, { type: "type", text: "hello" }, 4),
  operation(`${screen} Task: book a table, then tell Ann. Next action?`, { type: "click", box: [10, 50, 90, 60] }, 9),
  understanding(`${screen} Question: what stands at the top left?`, 1),
  understanding(`${screen} Question: how many buttons are there?`, 1),
]);
