import { renameSync, writeFileSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { type RunReader, readRun } from "../trainer/store/index.js";
import { type RunSummary, summaryOf } from "../trainer/summary.js";
import { curvesOf } from "./curves.js";
import { findings } from "./findings.js";
import { page, type RunFacts } from "./page.js";
import { samplesOf } from "./samples.js";
import { rewardWeights } from "./warnings.js";

/** What a report says that the run folder alone does not tell. */
export interface ReportFacts {
  /** What the run does, in lines: parts, options and conventions. */
  description?: readonly string[];
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
export async function writeReport(run: RunReader | string, { description }: ReportFacts = {}): Promise<string> {
  const folder = typeof run === "string" ? readRun(run) : run;
  const config = folder.config as Config;
  const records = folder.metrics();
  const facts: RunFacts = {
    kind: folder.origin.kind,
    name: config.name ?? "run",
    algorithm: config.algorithm,
    steps: folder.origin.kind === "sft" ? config.sft?.steps : config.trainer?.steps,
    model: shownPath(config.model?.checkpoint),
    finished: folder.finished,
    summary: summaryFor(folder, config.seed ?? 0),
    findings: findings(records, rewardWeights(config)),
    description: description ?? [],
    events: folder.events(),
    config,
  };
  const file = join(folder.path, "report.html");
  writeFileSync(`${file}.partial`, page(facts, { curves: curvesOf(records), samples: await samplesOf(folder) }));
  renameSync(`${file}.partial`, file);
  return file;
}

/** As it would be typed in this folder, where it lies below. */
const shownPath = (path: string | undefined): string | undefined => {
  const within = path === undefined ? "" : relative(process.cwd(), path);
  return within === "" || within.startsWith("..") || isAbsolute(within) ? path : within;
};

/** The summary so far where the run is not finished. */
function summaryFor(folder: RunReader, seed: number): RunSummary {
  if (folder.summary !== null) return folder.summary;
  const records = folder.metrics();
  const seconds = records.reduce((sum, record) => sum + (record.seconds ?? 0) + (record.secondsEvaluate ?? 0), 0);
  return summaryOf(records, { steps: records.length, seed }, seconds);
}
