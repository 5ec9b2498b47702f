import { resolve } from "node:path";
import { describeRun, warningText } from "../../registry/describe.js";
import { resolveConfig } from "../../registry/resolve.js";
import { compositionWarnings } from "../../registry/warnings.js";
import { type RunSummary, resume, sft, train } from "../../trainer/index.js";
import { progressView } from "../progress.js";
import { stopOnSignals } from "../signals.js";

export interface ViewFlags {
  json?: boolean;
  quiet?: boolean;
}

export interface StartFlags extends ViewFlags {
  set: readonly string[];
  out?: string;
  overwrite?: boolean;
}

/** `proximal train` and `proximal sft`. */
export async function startCommand(kind: "train" | "sft", file: string, { set, out, overwrite, ...view }: StartFlags): Promise<void> {
  const config = resolveConfig(file, { set });
  const output = out === undefined ? config.output : resolve(out);
  if (view.json || view.quiet) {
    const tell = progressView(view);
    for (const warning of compositionWarnings(config)) tell({ type: "warning", message: warningText(warning) });
  } else console.log(describeRun({ ...config, output }).join("\n"));
  await show(view, (options) => (kind === "train" ? train : sft)(config, { output, overwrite, ...options }));
}

/** `proximal resume`. */
export const resumeCommand = (folder: string, view: ViewFlags): Promise<void> => show(view, (options) => resume(folder, options));

/** Runs with a progress view; Ctrl-C and SIGTERM finish the step and save. */
async function show(
  view: ViewFlags,
  work: (options: { onEvent: ReturnType<typeof progressView>; signal: AbortSignal }) => Promise<RunSummary | null>,
): Promise<void> {
  const { signal, release } = stopOnSignals();
  try {
    await work({ onEvent: progressView(view), signal });
  } finally {
    release();
  }
}
