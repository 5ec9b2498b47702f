import { container, type DependencyContainer } from "tsyringe";
import { revealSecrets } from "../config/annotations.js";
import type { ResolvedComponent } from "../config/component.js";
import type { ResolvedConfig } from "../config/resolve.js";
import { ConfigError, errorFromJSON, PluginError, ProximalError } from "../errors.js";
import { metadataUnder, type RunFacts } from "../extension/component.js";
import type { Environment } from "../extension/environment.js";
import type { Exporter } from "../extension/exporter.js";
import { instantiate } from "../extension/instantiate.js";
import type { AdvantageEstimator, LossComponent, RewardModel, Sampler } from "../extension/points.js";
import type { Embedder, JudgeModel } from "../extension/services.js";
import type { Watchdog } from "../extension/watchdog.js";
import type { PolicyBackend, PolicyInfo, Tokenizer } from "../policy/index.js";
import { type CompositionOptions, checkComposition } from "./check.js";
import { partsOf, specsOf } from "./columns.js";
import { loadAdapter, loadComponent } from "./load.js";
import type { Placed, PlacedEnvironment, PlacedReward, PlacedWatchdog, RunComponents } from "./placed.js";

/** What components may know of a run, from its config and its policy. */
export const runFactsOf = (
  { seed, trainer, sampling, sampler }: ResolvedConfig,
  { vocabularySize, hiddenSize }: Pick<PolicyInfo, "vocabularySize" | "hiddenSize">,
): RunFacts => {
  const size = (name: string) => (typeof sampler?.options[name] === "number" ? sampler.options[name] : 1);
  return {
    seed,
    totalSteps: trainer.steps,
    groupSize: size("groupSize"),
    promptsPerStep: size("promptsPerStep"),
    maxTokens: sampling.maxTokens,
    temperature: sampling.temperature,
    vocabularySize,
    hiddenSize,
  };
};

/**
 * Instances of all components, in a container of the run's own: two runs of one process share nothing. Errors:
 * `CompositionError` as `checkComposition`, `PluginError` for a package that cannot be loaded or a constructor that throws.
 */
export async function buildComposition(config: ResolvedConfig, facts: RunFacts, options: CompositionOptions = {}): Promise<RunComponents> {
  checkComposition(config, options);
  const given = new Set(options.services);
  const scope: Scope = { config, facts, run: container.createChildContainer(), watch: options.watch };
  const { environment, sampler, rewards, advantage, gate, objective, regularizers, judge, embed } = config;
  const terms = [gate, objective, ...regularizers].filter((part) => part !== undefined);
  return {
    ...(environment === undefined ? {} : { environment: await placeEnvironment(environment, scope) }),
    sampler: await place<Sampler>(sampler!, scope),
    rewards: await inOrder(rewards, (reward) => placeReward(reward, scope)),
    advantage: advantage === undefined ? null : await place<AdvantageEstimator>(advantage, scope),
    terms: await inOrder(terms, async (term) => ({ ...(await place<LossComponent>(term, scope)), coefficient: term.coefficient })),
    ...(judge === undefined || given.has("judge") ? {} : { judge: await place<JudgeModel>(judge, scope) }),
    ...(embed === undefined || given.has("embed") ? {} : { embed: await place<Embedder>(embed, scope) }),
    watchdogs: await inOrder(config.watchdogs, (part) => placeWatchdog(part, scope)),
    aggregation: config.trainer.aggregation,
    specs: specsOf(partsOf(config)),
  };
}

/** Instances of the exporters that a config names. */
export const buildExporters = (config: ResolvedConfig, facts: RunFacts): Promise<Placed<Exporter>[]> => {
  const scope: Scope = { config, facts, run: container.createChildContainer() };
  return inOrder(config.exporters, (part) => place<Exporter>(part, scope));
};

interface Scope {
  config: ResolvedConfig;
  facts: RunFacts;
  run: DependencyContainer;
  watch?: CompositionOptions["watch"];
}

async function inOrder<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await map(item));
  return results;
}

async function placeReward(part: ResolvedComponent, scope: Scope): Promise<PlacedReward> {
  const inner = await inOrder(part.inner, (reward) => placeReward(reward, scope));
  return { ...(await place<RewardModel>(part, scope)), weight: part.weight, failure: part.failure!, inner };
}

async function placeWatchdog(part: ResolvedComponent, scope: Scope): Promise<PlacedWatchdog> {
  const { id, component } = await place<Watchdog>(part, scope);
  return { id, component, ...part.response! };
}

async function placeEnvironment(part: ResolvedComponent, scope: Scope): Promise<PlacedEnvironment> {
  return { ...(await place<Environment>(part, scope)), ...part.episode! };
}

/** Whether every secret that the components name is there. Errors: `ConfigError` with the variable that is not set. */
export function checkSecrets(config: ResolvedConfig, { services = [] }: CompositionOptions = {}): void {
  const given = new Set<string>(services);
  for (const part of partsOf(config).filter(({ path }) => !given.has(path))) {
    try {
      revealSecrets(part.options);
    } catch (cause) {
      if (!(cause instanceof ConfigError)) throw cause;
      const path = `${part.path}.${cause.details.path}`;
      throw new ConfigError(cause.message, { ...cause.details, file: config.place(path), path });
    }
  }
}

async function place<C>(part: ResolvedComponent, { config, facts, run, watch }: Scope): Promise<Placed<C>> {
  const target = await loadComponent(part);
  const where = { file: config.place(part.path), path: part.path };
  try {
    const component = instantiate(target, revealSecrets(part.options), {
      facts,
      parent: run,
      watch: watch && ((given) => watch(part, given)),
    }) as C;
    return { id: part.name, component, metadata: metadataUnder(target, part.options) };
  } catch (cause) {
    const { name, version } = part.package.manifest;
    if (cause instanceof ProximalError) {
      const path = [part.path, cause.details.path].filter(Boolean).join(".");
      throw errorFromJSON({ code: cause.code, message: cause.message, details: { ...cause.details, ...where, path } });
    }
    throw new PluginError(`${part.point} "${part.id}" of ${name} ${version} failed in its constructor: ${(cause as Error).message}`, {
      ...where,
      given: part.options,
      cause,
    });
  }
}

/** Opens the policy that a config names. `valueHead`: some component trains values. */
export const openPolicy = (config: ResolvedConfig, { valueHead }: { valueHead: boolean }): Promise<PolicyBackend> =>
  openModel(config, config.model, valueHead);

/** Opens the teacher that a config names. Its vocabulary must be the policy's: it scores the policy's tokens. */
export async function openTeacher(config: ResolvedConfig, policy: PolicyBackend): Promise<PolicyBackend | undefined> {
  if (config.teacher === undefined) return undefined;
  const teacher = await openModel(config, config.teacher, false);
  if (sameVocabulary(policy.tokenizer, teacher.tokenizer)) return teacher;
  await teacher.close();
  throw new ConfigError("the teacher's tokens are not the policy's", {
    file: config.place("teacher"),
    path: "teacher",
    given: `${teacher.tokenizer.vocabularySize} tokens`,
    accepted: `a model with the policy's tokenizer (${policy.tokenizer.vocabularySize} tokens)`,
  });
}

/** Sizes, stop tokens and the texts of all tokens agree. */
function sameVocabulary(a: Tokenizer, b: Tokenizer): boolean {
  const stops = (tokenizer: Tokenizer) => [...tokenizer.stopTokens].sort((x, y) => x - y).join();
  if (a.vocabularySize !== b.vocabularySize || stops(a) !== stops(b)) return false;
  const textOf = (tokenizer: Tokenizer, id: number) => tokenizer.decode([id], { skipSpecial: false });
  return Array.from({ length: a.vocabularySize }, (_, id) => id).every((id) => textOf(a, id) === textOf(b, id));
}

async function openModel(config: ResolvedConfig, model: Record<string, unknown>, valueHead: boolean): Promise<PolicyBackend> {
  const adapter = await loadAdapter(config.adapter);
  const { beta1, beta2, epsilon, weightDecay, maxGradNorm } = config.optimizer;
  return adapter.open({
    model: revealSecrets(model),
    engine: revealSecrets(config.engine),
    optimizer: { beta1, beta2, epsilon, weightDecay, maxGradNorm },
    seed: config.seed,
    valueHead,
  });
}
