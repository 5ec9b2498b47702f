import { existsSync, readdirSync } from "node:fs";
import { UsageError } from "../../errors.js";
import { makeFolder, requireWritable } from "../../folder.js";
import { EXPORT_FORMATS, type ExportFormat } from "../../policy/index.js";
import { openTarget } from "../../trainer/index.js";

export interface ExportFlags {
  format: string;
  out: string;
  set: readonly string[];
  checkpoint?: number;
  overwrite?: boolean;
}

/** `proximal export`: the model of a run or a config as a folder for other programs. */
export async function exportCommand(target: string, { format: given, out, set, checkpoint, overwrite }: ExportFlags): Promise<void> {
  const format = EXPORT_FORMATS.find((name): name is ExportFormat => name === given);
  if (format === undefined) throw new UsageError("unknown format", { path: "--format", given, accepted: EXPORT_FORMATS });
  requireWritable(out);
  if (existsSync(out) && readdirSync(out).length > 0 && !overwrite) {
    throw new UsageError("the folder is not empty", { file: out, hint: "name another one, or pass --overwrite" });
  }
  const run = await openTarget(target, { set, checkpoint });
  try {
    makeFolder(out);
    await run.policy.export(out, { format });
    console.log(out);
  } finally {
    await run.close();
  }
}
