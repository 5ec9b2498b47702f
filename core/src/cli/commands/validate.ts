import { checkComposition } from "../../registry/check.js";
import { describeRun } from "../../registry/describe.js";
import { resolveConfig } from "../../registry/resolve.js";
import { checkTrainingSampling } from "../../registry/sampling.js";

/** Checks a config and prints what the run would do. */
export function validateCommand(file: string, { set }: { set: readonly string[] }): void {
  const config = resolveConfig(file, { set });
  const isSupervised = config.sft !== undefined && config.sampler === undefined;
  if (!isSupervised) {
    checkComposition(config);
    checkTrainingSampling(config);
  }
  console.log([`${file} is valid`, ...describeRun(config)].join("\n"));
}
