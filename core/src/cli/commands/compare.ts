import { basename, extname, join, resolve } from "node:path";
import { compareAlgorithms, comparisonTable, writeComparison } from "../../compare/index.js";
import { UsageError } from "../../errors.js";
import type { RunEvent } from "../../trainer/index.js";
import { progressView } from "../progress.js";
import { stopOnSignals } from "../signals.js";

export interface CompareFlags {
  algorithms: string;
  task: string;
  config?: string;
  seeds: number;
  budget?: number;
  steps?: number;
  target: number;
  samples: number;
  set: readonly string[];
  out?: string;
  overwrite?: boolean;
  json?: boolean;
  quiet?: boolean;
}

/** `proximal compare`: a line a run, then the table; compare.json and compare.html beside the runs. */
export async function compareCommand({
  algorithms,
  task,
  config,
  out,
  json = false,
  quiet = false,
  ...options
}: CompareFlags): Promise<void> {
  const names = algorithms.split(",").map((name) => name.trim());
  if (names.includes(""))
    throw new UsageError("an algorithm has no name", { given: `--algorithms ${algorithms}`, accepted: "names with commas" });
  const base = config ?? task;
  const output = resolve(out ?? join("runs", `compare-${basename(base, extname(base))}`));
  const silent = json || quiet;
  const { signal, release } = stopOnSignals();
  // Of the single runs only the line that a terminal redraws is shown, and warnings.
  const view = progressView({ quiet: silent || process.stdout.isTTY !== true });
  const onEvent = (event: RunEvent): void => {
    if (event.type === "step" || (event.type === "warning" && !json)) view(event);
  };
  try {
    const comparison = await compareAlgorithms({
      ...options,
      algorithms: names,
      task: config === undefined ? task : asFile(config),
      output,
      signal,
      onEvent,
      onRun: ({ contender, seed, place, of, measures, wasThere }) => {
        if (silent) return;
        const accuracy = measures.accuracy === null ? "–" : `${(100 * measures.accuracy).toFixed(1)} %`;
        const cost = `${measures.tokens.toLocaleString("en")} tokens, ${measures.steps} steps, ${measures.seconds.toFixed(0)} s`;
        console.log(
          `${String(place).padStart(3)}/${of}  ${contender}, seed ${seed}: held-out accuracy ${accuracy}, ${cost}${wasThere ? "  (was there)" : ""}`,
        );
      },
    });
    if (comparison === null) {
      if (!json) console.log("stopped; the same command goes on where it stopped");
      return;
    }
    const page = writeComparison(comparison, output);
    if (json) console.log(JSON.stringify(comparison, null, 2));
    else console.log(["", ...comparisonTable(comparison), "", `${page}`].join("\n"));
  } finally {
    release();
  }
}

/** A name without a folder or ending would be taken for a task's. */
const asFile = (file: string): string => (/\.(ya?ml|json)$/.test(file) ? file : refuse(file));
const refuse = (file: string): never => {
  throw new UsageError("this is no config file", { given: `--config ${file}`, accepted: "a file that ends with .yaml, .yml or .json" });
};
