import "reflect-metadata";
import { existsSync } from "node:fs";
import { NO_RUN } from "../../extension/instantiate.js";
import { explainTerms } from "../../objective/explain.js";
import { lossPart } from "../../objective/part.js";
import { buildComposition, runFactsOf } from "../../registry/build.js";
import { describeRun } from "../../registry/describe.js";
import { resolveConfig } from "../../registry/resolve.js";

/** Prints the objective of a config, or of an algorithm by name, as it is executed. */
export async function explainCommand(target: string, { set }: { set: readonly string[] }): Promise<void> {
  const isFile = existsSync(target) || /\.(ya?ml|json)$/.test(target);
  const bare = { algorithm: target, model: {}, data: { train: "none.jsonl" }, rewards: [{ use: "exact-match" }] };
  const config = resolveConfig(isFile ? target : bare, { set });
  const services = ["embed", "judge"] as const;
  const { terms, aggregation, specs } = await buildComposition(config, runFactsOf(config, NO_RUN), { services });
  const { learningRate } = config.optimizer;
  const parts = terms.map(({ id, component, coefficient }) => lossPart({ id, component, coefficient, learningRate }).part);
  const facts = describeRun(config).filter((line) => !/^ {2}(run|engine|model|data|output) /.test(line));
  console.log([...facts, "", "loss, to be minimised: the sum of", ...explainTerms(parts, { aggregation, specs })].join("\n"));
}
