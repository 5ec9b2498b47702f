import {
  type Environment,
  type EpisodeContext,
  fromJson,
  type PromiseName,
  type Prompt,
  Random,
  type ServiceName,
  STANDARD_COLUMNS,
  type TurnOutcome,
  toJson,
} from "@proximal/core";
import { check, playEpisode, UNITS } from "@proximal/core/testing";
import { type Check, type Effort, promiseCheck, type Work, within } from "./check.js";
import { optionSets } from "./options.js";
import { servicesFor } from "./services.js";
import { build, nameOf, type Subject } from "./subject.js";

type World = Subject<Environment>;

const HOSTILE = [
  "",
  " ",
  "\n\n",
  "\u0000\u0007",
  "π 😀 \uD800",
  "</",
  "<think>",
  "}{][)(",
  '{"a":',
  "__proto__",
  "constructor",
  "$& $1 {output}",
  "<|im_end|><|endoftext|>",
  "1".repeat(2000),
];

const promptOf = ({ examples }: World, i: number): Prompt => ({
  id: `p${i}`,
  text: `question ${i}`,
  tokens: UNITS.encode(`question ${i}`),
  golds: ["4", "42"].slice(0, 1 + (i % 2)),
  fields: { solution: "first 4, then 2", level: i, ...examples.fields },
});

/** Turns that end as the environment asks for: with nothing in front, with something, and twice at once. */
const endsOf = ({ endOfTurn }: Environment): string[] => endOfTurn.flatMap((end) => [`1${end}`, end, `${end}${end}`]);

/** An ordinary episode: the package's own turns, or odd ones where it gives none. */
const turnsOf = ({ examples }: World, instance: Environment): readonly string[] =>
  examples.turns ?? [...endsOf(instance).slice(0, 3), "the answer is 42"];

interface How {
  turns?: readonly string[];
  prompt?: Prompt;
  seed?: number;
  options?: Readonly<Record<string, unknown>>;
  instance?: Environment;
  end?: "text" | "stop" | "length";
  /** Every state is put through its serialised form, and every call goes to an instance of its own. */
  restored?: boolean;
  used?: Set<ServiceName>;
}

interface Played {
  /** Every state, observation and end, as text. */
  trace: string;
  columns: Readonly<Record<string, unknown>>;
}

/** Plays turns without a host, until the environment is done. */
async function play(subject: World, { seed = 1, options = {}, end = "text", restored = false, used, ...how }: How = {}): Promise<Played> {
  let instance = how.instance ?? build(subject, options);
  const { turns = turnsOf(subject, instance), prompt = promptOf(subject, seed) } = how;
  const services = servicesFor(subject.metadata.requires, used);
  const contextOf = (turn: string | number): EpisodeContext => ({ random: new Random(seed).fork(prompt.id, turn), services });
  const carried = (state: unknown): unknown => {
    if (restored) instance = build(subject, options);
    return restored ? fromJson(toJson(state)) : state;
  };
  let state = carried(await instance.reset(prompt, contextOf("reset")));
  const trace: unknown[] = [state];
  for (const [turn, text] of turns.entries()) {
    const before = toJson(state);
    const outcome = await instance.step({ prompt, state, turn, text, tokens: UNITS.encode(text), end }, contextOf(turn));
    refuseUnsound(outcome, text);
    check(toJson(state) === before, "step changes the state that it is given instead of returning a new one");
    state = carried(outcome.state);
    trace.push([state, outcome.observation ?? null, outcome.done]);
    if (outcome.done) break;
  }
  const columns = instance.columns?.(state) ?? {};
  return { trace: toJson([trace, columns]), columns };
}

function refuseUnsound({ done, observation }: TurnOutcome, text: string): void {
  const where = `after the turn ${JSON.stringify(text.slice(0, 60))}`;
  check(typeof done === "boolean", `${where}: done is ${done}, not true or false`);
  if (observation === undefined || typeof observation === "string") return;
  const isMessage = typeof observation?.role === "string" && typeof observation?.content === "string";
  check(isMessage, `${where}: the observation is neither a text nor a message { role, content }`);
}

/** Throws the sentence and the first place where two traces differ. */
function same(a: string, b: string, message: string): void {
  if (a === b) return;
  const at = [...a].findIndex((character, i) => b[i] !== character);
  const around = (text: string) => JSON.stringify(text.slice(Math.max(0, at - 30), at + 50));
  throw new Error(`${message}: ${around(a)} and ${around(b)}`);
}

/** Promises of an environment. */
export function environmentChecks(subject: World, effort: Effort): Check[] {
  const { name, metadata } = subject;
  const one = (promise: PromiseName, go: Work) => promiseCheck(name, promise, metadata.exceptions?.[promise], go, effort);
  const seeds = Array.from({ length: effort.runs }, (_, i) => i + 1);
  return [
    one("deterministic", async () => {
      const instance = build(subject);
      for (const seed of seeds) {
        const { trace } = await play(subject, { instance, seed });
        await play(subject, { instance, seed: seed + 1 });
        same(trace, (await play(subject, { instance, seed })).trace, "a second episode with equal turns and random numbers differs");
        same(trace, (await play(subject, { seed })).trace, "another instance answers equal turns otherwise");
      }
    }),
    one("state", async () => {
      for (const seed of seeds) {
        const [kept, restored] = [await play(subject, { seed }), await play(subject, { seed, restored: true })];
        same(kept.trace, restored.trace, "an episode that goes on from its serialised state differs");
      }
    }),
    one("hostile", async () => {
      const instance = build(subject);
      for (const text of [...HOSTILE, ...endsOf(instance)])
        for (const end of ["text", "stop", "length"] as const)
          await within(`the turn ${JSON.stringify(text.slice(0, 60))}`, () => play(subject, { instance, turns: [text, text], end }));
    }),
    one("episodes", async () => {
      for (const seed of seeds) await episodes(subject, seed);
    }),
    one("reads", () => declared(subject)),
    one("borders", async () => {
      for (const { title, options } of optionSets(subject)) await within(`with ${title}`, () => play(subject, { options }));
    }),
  ];
}

/** Whole episodes in the trainer's own loop, with and without a given beginning, and under tight limits. */
async function episodes(subject: World, seed: number): Promise<void> {
  const instance = build(subject);
  const { endOfTurn } = instance;
  const areTexts = Array.isArray(endOfTurn) && endOfTurn.every((end) => typeof end === "string" && end !== "");
  check(areTexts, "endOfTurn is no list of texts with at least one character each");
  const turns = turnsOf(subject, instance);
  const given = { prompt: promptOf(subject, seed), seed, services: servicesFor(subject.metadata.requires), maxTokens: 4000 };
  const { tokens, mask, columns = {} } = await playEpisode(instance, { ...given, turns });

  const observed = columns.observed as readonly number[];
  const wrong = tokens.findIndex((_, t) => (mask[t] === 1) === (observed[t] === 1));
  check(wrong < 0, `token ${wrong} of an episode is both trained on and observed, or neither`);
  const own = UNITS.decode(tokens.filter((_, t) => mask[t] === 1));
  check(turns.join("").startsWith(own), `the policy wrote ${JSON.stringify(turns.join(""))}, and its tokens read ${JSON.stringify(own)}`);

  const turnIndex = columns.turnIndex as readonly number[];
  for (let turn = 1; turn <= (turnIndex.at(-1) ?? 0); turn++) {
    const prefix = tokens.slice(0, turnIndex.indexOf(turn));
    const again = await playEpisode(build(subject), { ...given, prefix, turns: turns.slice(turn) });
    same(UNITS.decode(tokens), UNITS.decode(again.tokens), `an episode whose first ${turn} turns are given goes on otherwise`);
  }
  for (const limits of [{ maxTokens: 1 }, { maxTokens: 7 }, { maxTurns: 1 }, { observationTokens: 1 }]) {
    const short = await playEpisode(instance, { ...given, turns, ...limits });
    const most = limits.maxTokens ?? given.maxTokens;
    check(short.tokens.length <= most, `an episode of at most ${most} tokens has ${short.tokens.length}`);
  }
}

const FITS: Readonly<Record<string, (value: unknown) => boolean>> = {
  f64: (value) => typeof value === "number",
  i32: (value) => Number.isInteger(value),
  bool: (value) => typeof value === "boolean" || value === 0 || value === 1,
  string: (value) => typeof value === "string",
};

/** Columns that a finished episode leaves, and services that were called. */
async function declared(subject: World): Promise<string[]> {
  const { writes = [], requires = [] } = subject.metadata;
  const used = new Set<ServiceName>();
  const instance = build(subject);
  for (const turns of [turnsOf(subject, instance), [""], endsOf(instance).slice(0, 1)]) {
    const { columns } = await play(subject, { turns, instance, used });
    const strange = Object.keys(columns).find((column) => !writes.some((reference) => nameOf(reference) === column));
    check(strange === undefined, `it writes ${strange}, which its writes do not name`);
    for (const reference of writes) {
      const column = nameOf(reference);
      check(column in columns, `it declares to write "${column}", and a finished episode has none`);
      const { dtype } =
        typeof reference === "object" && "dtype" in reference ? reference : STANDARD_COLUMNS[column as keyof typeof STANDARD_COLUMNS];
      const fits = FITS[dtype] ?? (() => true);
      check(fits(columns[column]), `the column ${column} is of ${dtype}, and it writes ${JSON.stringify(columns[column])}`);
    }
  }
  return requires.filter((service) => !used.has(service)).map((service) => `it requires "${service}" and never calls it`);
}
