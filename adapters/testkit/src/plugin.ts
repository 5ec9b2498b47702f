import type {
  AdvantageEstimator,
  Embedder,
  Environment,
  Examples,
  Exporter,
  JudgeModel,
  LossComponent,
  PluginDefinition,
  RewardModel,
  Sampler,
  Watchdog,
} from "@proximal/core";
import { type Check, type Effort, QUICK } from "./check.js";
import { environmentChecks } from "./environment.js";
import { exporterChecks } from "./exporter.js";
import { hostChecks } from "./host.js";
import { lossChecks } from "./loss.js";
import { embedderChecks, judgeChecks } from "./models.js";
import { samplerChecks } from "./sampling.js";
import { type Subject, subjectsOf } from "./subject.js";
import { watchdogChecks } from "./watchdog.js";

/** Everything that a plugin's components promise, as checks to run. */
export function pluginChecks(
  plugin: Pick<PluginDefinition, "components">,
  { examples = {}, effort = QUICK }: { examples?: Examples; effort?: Effort } = {},
): Check[] {
  return subjectsOf(plugin, examples).flatMap((subject): Check[] => {
    if (subject.point === "sampler") return samplerChecks(subject as Subject<Sampler>, effort);
    if (subject.point === "reward" || subject.point === "advantage")
      return hostChecks(subject as Subject<AdvantageEstimator | RewardModel>, effort);
    if (subject.point === "gate" || subject.point === "regularizer" || subject.point === "objective")
      return lossChecks(subject as Subject<LossComponent>, effort);
    if (subject.point === "environment") return environmentChecks(subject as Subject<Environment>, effort);
    if (subject.point === "watchdog") return watchdogChecks(subject as Subject<Watchdog>, effort);
    if (subject.point === "judge") return judgeChecks(subject as Subject<JudgeModel>, effort);
    if (subject.point === "embedder") return embedderChecks(subject as Subject<Embedder>, effort);
    if (subject.point === "exporter") return exporterChecks(subject as Subject<Exporter>, effort);
    return [];
  });
}
