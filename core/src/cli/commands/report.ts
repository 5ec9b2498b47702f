import { ProximalError } from "../../errors.js";
import { describeRun } from "../../registry/describe.js";
import { resolveConfig } from "../../registry/resolve.js";
import { writeReport } from "../../report/index.js";
import { type RunReader, readRun } from "../../trainer/store/index.js";

/** `proximal report`. A run whose plugins are not installed here gets a report without what they say of themselves. */
export async function reportCommand(path: string): Promise<void> {
  const folder = readRun(path);
  console.log(await writeReport(folder, { description: descriptionOf(folder) }));
}

function descriptionOf(folder: RunReader): string[] {
  try {
    return describeRun(resolveConfig(folder.config as object, { cwd: folder.origin.folder, packages: [process.cwd()] }));
  } catch (error) {
    if (!(error instanceof ProximalError)) throw error;
    console.error(`the run's parts are not described: ${error.message}`);
    return [];
  }
}
