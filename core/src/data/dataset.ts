import type { DataSection } from "../config/schema.js";
import { ConfigError, DataError } from "../errors.js";
import type { Tokenizer } from "../policy/index.js";
import { type Prompt, Random } from "../rollout/index.js";
import { PromptMaker, type PromptOptions } from "./prompt.js";
import { readRecords } from "./records.js";

/** The `data` section of a config; what is left out has the schema's default. */
export type DataOptions = Partial<DataSection> & Pick<DataSection, "train">;

/** Prompts in a fixed order, and the way to make more of their kind. What samplers draw from. */
export class DataSet {
  constructor(
    readonly prompts: readonly Prompt[],
    private readonly maker: PromptMaker,
    /** Records that were left out for their length. */
    readonly dropped = 0,
  ) {}

  get size(): number {
    return this.prompts.length;
  }

  get(index: number): Prompt {
    const prompt = this.prompts[index];
    if (prompt === undefined) throw new RangeError(`prompt ${index} of ${this.size}`);
    return prompt;
  }

  derive(base: Prompt, text: string): Prompt {
    return this.maker.derive(base, text);
  }

  /** Texts as prompts, made like the records of this data set. */
  fromTexts(texts: readonly string[]): Prompt[] {
    return texts.map((text, index) => this.maker.fromText(text, index));
  }

  /** Another file, read like this data set. */
  read(file: string): DataSet {
    return readDataSet(file, this.maker);
  }

  /** The prompts at the given places, in that order. */
  subset(indices: readonly number[]): DataSet {
    return new DataSet(
      indices.map((index) => this.get(index)),
      this.maker,
    );
  }
}

export interface DataSets {
  train: DataSet;
  /** null when nothing is held out. */
  held: DataSet | null;
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

/** Reads one file of records. */
export const loadDataSet = (file: string, options: PromptOptions, facts: DataFacts): DataSet => readDataSet(file, makerOf(options, facts));

function readDataSet(file: string, maker: PromptMaker): DataSet {
  const records = readRecords(file);
  const prompts = records.map((record, index) => maker.fromRecord(record, index, file)).filter((prompt) => prompt !== null);
  if (prompts.length === 0) {
    throw new DataError("every prompt is longer than the context allows", { file, given: `${records.length} records` });
  }
  return new DataSet(prompts, maker, records.length - prompts.length);
}

/** Training and held-out prompts. Which records are held out depends on the seed alone. */
export function loadDataSets(options: DataOptions, facts: DataFacts, seed: number): DataSets {
  const all = loadDataSet(options.train, options, facts);
  if (options.eval !== undefined) return { train: all, held: loadDataSet(options.eval, options, facts) };
  const fraction = options.evalFraction ?? 0;
  if (fraction === 0) return { train: all, held: null };
  const heldSize = Math.max(1, Math.round(all.size * fraction));
  if (heldSize >= all.size) {
    throw new DataError("holding out records leaves none to train on", {
      file: options.train,
      path: "data.evalFraction",
      given: `${fraction} of ${all.size}`,
    });
  }
  const order = [...new Random(seed).fork("data", "held-out").permutation(all.size)];
  const inFileOrder = (indices: number[]) => all.subset(indices.sort((a, b) => a - b));
  return { train: inFileOrder(order.slice(heldSize)), held: inFileOrder(order.slice(0, heldSize)) };
}
