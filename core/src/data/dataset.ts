import { basename } from "node:path";
import type { DataSection } from "../config/schema.js";
import { ConfigError, DataError } from "../errors.js";
import type { Tokenizer } from "../policy/index.js";
import { type Prompt, Random } from "../rollout/index.js";
import { type Contamination, findContamination, type Question, refuseContamination } from "./contamination.js";
import { fieldOf, missingField } from "./fields.js";
import { PromptMaker, type PromptOptions } from "./prompt.js";
import { DEFAULT_MEMORY, openRecords } from "./records.js";
import type { RecordSource } from "./source.js";

/** The `data` section of a config; what is left out has the schema's default. */
export type DataOptions = Partial<DataSection> & Pick<DataSection, "train">;

/** Prompts by place: kept, or made anew from their record at each call. */
interface PromptList {
  readonly size: number;
  at(index: number): Prompt;
  /** File and place of the record, for errors. */
  place(index: number): string;
}

/** Prompts in a fixed order, and the way to make more of their kind. What samplers draw from. */
export class DataSet {
  constructor(
    private readonly list: PromptList,
    private readonly maker: PromptMaker,
    /** Bytes of records that are kept in memory. */
    private readonly memory: number,
    /** Records that were left out for their length. */
    readonly dropped = 0,
  ) {}

  get size(): number {
    return this.list.size;
  }

  /** All of them at once: for data sets that fit the memory. */
  get prompts(): readonly Prompt[] {
    return this.first(this.size);
  }

  get(index: number): Prompt {
    if (!(Number.isInteger(index) && index >= 0 && index < this.size)) throw new RangeError(`prompt ${index} of ${this.size}`);
    return this.list.at(index);
  }

  first(count: number): Prompt[] {
    return Array.from({ length: Math.min(count, this.size) }, (_, index) => this.list.at(index));
  }

  derive(base: Prompt, text: string): Prompt {
    return this.maker.derive(base, text);
  }

  /** Texts as prompts, made like the records of this data set. */
  fromTexts(texts: readonly string[]): Prompt[] {
    return texts.map((text, index) => this.maker.fromText(text, index));
  }

  /** Another file, read like this data set. */
  async read(file: string): Promise<DataSet> {
    return makeDataSet(await openRecords(file, this.memory), this.maker, this.memory);
  }

  /** The prompts at the given places, in that order. */
  subset(indices: ArrayLike<number>): DataSet {
    const { list } = this;
    const places = Uint32Array.from(indices);
    const part = { size: places.length, at: (i: number) => list.at(places[i]!), place: (i: number) => list.place(places[i]!) };
    return new DataSet(part, this.maker, this.memory);
  }

  /** The questions without template, each with its place. */
  *questions(): Generator<Question> {
    for (let i = 0; i < this.size; i++) yield { text: this.maker.questionText(this.list.at(i)), place: this.list.place(i) };
  }
}

export interface DataSets {
  train: DataSet;
  /** null when nothing is held out. */
  held: DataSet | null;
  /** What of the held-out prompts stands in the training data; null when it was not looked for. */
  contamination: Contamination | null;
}

/** What the rest of a run says about its data. */
export interface DataFacts {
  tokenizer: Tokenizer;
  /** Of the model: prompt and response together, tokens. */
  contextLength: number;
  /** Longest response, tokens. */
  maxTokens: number;
  /** Some component compares responses with answers. */
  answerRequired: boolean;
}

function makerOf(options: PromptOptions, facts: DataFacts): PromptMaker {
  const room = facts.contextLength - facts.maxTokens;
  if (room < 1) {
    throw new ConfigError("the response may fill the whole context: no room is left for a prompt", {
      path: "sampling.maxTokens",
      given: facts.maxTokens,
      accepted: `at most ${facts.contextLength - 1}`,
    });
  }
  const maxTokens = Math.min(room, options.maxPromptTokens ?? room);
  const { tokenizer, answerRequired } = facts;
  return new PromptMaker({ ...options, tokenizer, maxTokens, answerRequired });
}

const BYTES = 1e6;
const memoryOf = ({ memory }: { memory?: number }): number => (memory === undefined ? DEFAULT_MEMORY : BYTES * memory);

/** Reads one file of records. */
export async function loadDataSet(file: string, options: Omit<DataOptions, "train">, facts: DataFacts): Promise<DataSet> {
  const memory = memoryOf(options);
  return makeDataSet(await openRecords(file, memory), makerOf(options, facts), memory, options.columns);
}

/**
 * Makes every prompt once, so that each mistake is found before the first step. Prompts of records that exceed the memory are
 * made again when they are asked for: order and identity are the same.
 */
function makeDataSet(source: RecordSource, maker: PromptMaker, memory: number, columns: Readonly<Record<string, string>> = {}): DataSet {
  const { file, size } = source;
  const isKept = source.bytes <= memory;
  const kept: Prompt[] = [];
  const accepted = new Uint32Array(size);
  const absent = new Map(Object.entries(columns));
  let count = 0;
  for (let index = 0; index < size; index++) {
    const record = source.at(index);
    for (const [column, field] of absent) if (fieldOf(record.fields, field) !== undefined) absent.delete(column);
    const prompt = maker.fromRecord(record, index, file);
    if (prompt === null) continue;
    if (isKept) kept.push(prompt);
    accepted[count++] = index;
  }
  if (count === 0) throw new DataError("every prompt is longer than the context allows", { file, given: `${size} records` });
  for (const [column, field] of absent) {
    throw new DataError(`no record has the field "${field}"`, {
      file,
      path: `data.columns.${column}`,
      ...missingField(source.at(0).fields, field),
    });
  }
  const read = (i: number): Prompt => maker.fromRecord(source.at(accepted[i]!), accepted[i]!, file)!;
  const place = (i: number): string => `${basename(file)} ${source.at(accepted[i]!).place}`;
  return new DataSet({ size: count, at: (i) => kept[i] ?? read(i), place }, maker, memory, size - count);
}

/** Training and held-out prompts. Which records are held out depends on the seed alone. */
export async function loadDataSets(options: DataOptions, facts: DataFacts, seed: number): Promise<DataSets> {
  const memory = memoryOf(options);
  const train = await openRecords(options.train, memory);
  const held = options.eval === undefined ? undefined : await openRecords(options.eval, memory);
  return makeDataSets({ train, held }, options, facts, seed);
}

/** The same of opened records. */
export function makeDataSets(
  sources: { train: RecordSource; held?: RecordSource },
  options: Omit<DataOptions, "train">,
  facts: DataFacts,
  seed: number,
): DataSets {
  const make = (source: RecordSource) => makeDataSet(source, makerOf(options, facts), memoryOf(options), options.columns);
  const all = make(sources.train);
  const { train, held } =
    sources.held === undefined ? split(all, sources.train.file, options, seed) : { train: all, held: make(sources.held) };
  const { contamination: check = "warn" } = options;
  if (held === null || check === "off") return { train, held, contamination: null };
  const contamination = findContamination(held.questions(), train.questions());
  if (check === "error") refuseContamination(contamination);
  return { train, held, contamination };
}

function split(
  all: DataSet,
  file: string,
  { evalFraction = 0 }: Omit<DataOptions, "train">,
  seed: number,
): Pick<DataSets, "train" | "held"> {
  if (evalFraction === 0) return { train: all, held: null };
  const heldSize = Math.max(1, Math.round(all.size * evalFraction));
  if (heldSize >= all.size) {
    throw new DataError("holding out records leaves none to train on", {
      file,
      path: "data.evalFraction",
      given: `${evalFraction} of ${all.size}`,
    });
  }
  const order = new Random(seed).fork("data", "held-out").permutation(all.size);
  return { train: all.subset(order.slice(heldSize).sort()), held: all.subset(order.slice(0, heldSize).sort()) };
}
