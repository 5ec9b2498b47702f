import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Tokenizer } from "../policy/index.js";
import { RunFolder } from "../trainer/store/index.js";
import { type RunSummary, summaryOf } from "../trainer/summary.js";
import { curvesOf } from "./curves.js";
import { page, type RunFacts } from "./page.js";
import { samplesOf } from "./samples.js";
import { readVocabulary, textsOf } from "./vocabulary.js";

/** What a report says that the run folder alone does not tell. */
export interface ReportFacts {
  /** What the run does, in lines: parts, options and conventions. */
  description?: readonly string[];
  /** Gives the tokens their texts; a tokenizer.json of the run or of its first checkpoint is read when left out. */
  tokenizer?: Pick<Tokenizer, "decode">;
}

/** The parts of a resolved config that the report reads. */
interface Config {
  name?: string;
  algorithm?: string;
  seed?: number;
  model?: { checkpoint?: string };
  trainer?: { steps?: number };
  sft?: { steps?: number };
}

/**
 * Writes `report.html` of a run, finished or not: one page that needs no network. It replaces an earlier report at once, never
 * half. Returns the file's path.
 */
export function writeReport(run: RunFolder | string, { description, tokenizer }: ReportFacts = {}): string {
  const folder = typeof run === "string" ? RunFolder.open(run) : run;
  const config = folder.config as Config;
  const records = folder.readMetrics();
  const places = [join(folder.path, "model"), config.model?.checkpoint].filter((place) => place !== undefined);
  const textOf = tokenizer === undefined ? readVocabulary(places) : textsOf(tokenizer);
  const facts: RunFacts = {
    kind: folder.origin.kind,
    name: config.name ?? "run",
    algorithm: config.algorithm,
    steps: folder.origin.kind === "sft" ? config.sft?.steps : config.trainer?.steps,
    model: config.model?.checkpoint,
    finished: folder.finished,
    summary: summaryFor(folder, config.seed ?? 0),
    description: description ?? [],
    config,
  };
  const file = join(folder.path, "report.html");
  writeFileSync(`${file}.partial`, page(facts, { curves: curvesOf(records), samples: samplesOf(folder, textOf) }));
  renameSync(`${file}.partial`, file);
  return file;
}

/** The summary so far where the run is not finished. */
function summaryFor(folder: RunFolder, seed: number): RunSummary {
  if (folder.finished) return folder.summary as RunSummary;
  const records = folder.readMetrics();
  const seconds = records.reduce((sum, record) => sum + (record.seconds ?? 0) + (record.secondsEvaluate ?? 0), 0);
  return summaryOf(records, { steps: records.length, seed }, seconds);
}
