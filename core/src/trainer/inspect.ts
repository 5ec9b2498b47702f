import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { mean } from "../builtin/statistics.js";
import type { ResolvedConfig } from "../config/resolve.js";
import { CheckpointError, UsageError } from "../errors.js";
import { type ResolveOptions, resolveConfig } from "../registry/resolve.js";
import type { FinishReason } from "../rollout/index.js";
import { withRecordedModel } from "./recorded-model.js";
import { respond } from "./respond.js";
import type { Run } from "./run.js";
import { type HostServices, hostServices, type RewardFunctions } from "./services.js";
import { drawOf } from "./settings.js";
import { BEST, bestStep, latestCheckpoint, listCheckpoints, RunFolder, readCheckpoint } from "./store/index.js";
import { openRun } from "./train.js";
import { TrainingJob } from "./training-job.js";

export interface TargetOptions extends ResolveOptions {
  /** Step of the checkpoint to use, or the best one; the newest whole one by default. Only for run folders. */
  checkpoint?: number | "best";
  services?: HostServices;
  rewards?: RewardFunctions;
}

/**
 * Opens a trained policy with its data and rewards: of a run folder, with the parameters of a checkpoint; of a config, as the
 * model section says. What supervised runs lack is filled with an exact-match reward.
 */
export async function openTarget(target: string, { checkpoint, services, rewards, ...options }: TargetOptions = {}): Promise<Run> {
  if (!existsSync(resolve(options.cwd ?? "", target))) throw new UsageError("there is no such run or config", { file: target });
  const isRun = statSync(target).isDirectory();
  const file = isRun ? resolve(target, "config.json") : target;
  // Paths of overrides are meant from where the command is given, whatever folder the run was started in.
  const packages = [...(isRun ? [RunFolder.open(target).origin.folder] : []), process.cwd()];
  const config = completed(file, { ...options, packages });
  // Without its functions a policy can still be asked.
  const open = () => openRun(config, hostServices({ services, rewards: rewards ?? {} }));
  const run = await (isRun ? withRecordedModel(target, open) : open());
  try {
    if (isRun) await run.policy.restore(join(await checkpointOf(target, checkpoint), "policy"));
    else await new TrainingJob(run).prepare();
    return run;
  } catch (error) {
    await run.close();
    throw error;
  }
}

/** A config in which every part that answering needs is named. */
function completed(file: string, options: ResolveOptions): ResolvedConfig {
  const config = resolveConfig(file, options);
  const missing = [
    ...(config.sampler === undefined ? ["sampler.use=independent"] : []),
    ...(config.rewards.length === 0 ? ["rewards=[{use: exact-match}]"] : []),
    ...(config.gate === undefined && config.objective === undefined ? ["gate.use=clip", "advantage.use=group-normalized"] : []),
  ];
  return missing.length === 0 ? config : resolveConfig(file, { ...options, set: [...missing, ...(options.set ?? [])] });
}

async function checkpointOf(target: string, step: TargetOptions["checkpoint"]): Promise<string> {
  const { checkpoints } = RunFolder.open(target);
  if (step !== undefined) {
    const folder = join(checkpoints, step === "best" ? BEST : `step-${step}`);
    if (!existsSync(folder)) {
      const best = bestStep(checkpoints);
      const steps = (await listCheckpoints(checkpoints)).map((path) => path.slice(path.lastIndexOf("-") + 1));
      const present = [...steps, ...(best === null ? [] : [`best (step ${best})`])];
      throw new UsageError(step === "best" ? "the run has no best checkpoint" : `the run has no checkpoint of step ${step}`, {
        file: target,
        accepted: present,
      });
    }
    return (await readCheckpoint(folder)).folder;
  }
  const newest = await latestCheckpoint(checkpoints, () => {});
  if (newest === null) throw new CheckpointError("the run has no whole checkpoint", { file: checkpoints });
  return newest.folder;
}

export interface GenerateOptions {
  /** Responses a prompt. */
  samples?: number;
  greedy?: boolean;
  /** Longest response, tokens; the config's by default. */
  maxTokens?: number;
  temperature?: number;
}

export interface Generation {
  prompt: string;
  text: string;
  finish: FinishReason;
  /** Mean log-probability of the tokens that the policy wrote, nats. */
  meanLogp: number;
}

/** Answers texts as the policy would in training: with the config's template, chat template and sampling. */
export async function generate(run: Run, texts: readonly string[], options: GenerateOptions = {}): Promise<Generation[]> {
  const { sampling } = run.settings;
  const { samples = 1, greedy = false, maxTokens = sampling.maxTokens, temperature = sampling.temperature } = options;
  const prompts = run.data.train.fromTexts(texts);
  const silent = prompts.findIndex(({ tokens }) => tokens.length === 0);
  if (silent >= 0) throw new UsageError("the model's vocabulary has no token of this prompt", { given: texts[silent] });
  const noise = run.random.fork("generate");
  const requests = prompts.flatMap((prompt, p) =>
    Array.from({ length: samples }, (_, i) => ({
      source: prompt,
      prompt: prompt.tokens,
      key: noise.fork(p, i).key(),
      maxTokens,
      temperature,
      greedy,
      ...drawOf(sampling),
    })),
  );
  const written = await respond(run, requests, noise.fork("environment"));
  return written.map(({ text, finish, logp, mask }, i) => ({
    prompt: prompts[Math.floor(i / samples)]!.text,
    text,
    finish,
    meanLogp: mean(logp.filter((_, t) => mask[t] === 1)),
  }));
}
