import { didYouMean } from "../config/nearest.js";
import { PluginError, UsageError } from "../errors.js";
import type { LikelihoodGradient, PolicyGradient, RewardFunction, ScoreTokens, ServiceName, Services } from "../extension/index.js";
import { ObjectiveProgram } from "../objective/index.js";
import type { StepValues } from "../policy/index.js";
import { boundedLogp } from "../rollout/index.js";
import { addPolicyColumns, completeFactors, rowsOf } from "./columns.js";
import type { Placed } from "./composition.js";
import type { Run } from "./run.js";

/** Services that come from outside the run: an embedding model, a judge. */
export type HostServices = Partial<Pick<Services, "embed" | "judge" | "functions">>;

/** Reward functions of the calling program, by the names that the config gives them. */
export type RewardFunctions = Readonly<Record<string, RewardFunction>>;

/** Services that the calling program hands over; reward functions are one of them. */
export function hostServices({ services = {}, rewards }: { services?: HostServices; rewards?: RewardFunctions }): HostServices {
  if (rewards === undefined) return services;
  const functions = (name: string): RewardFunction => {
    const known = rewards[name];
    if (known !== undefined) return known;
    const names = Object.keys(rewards);
    throw new UsageError(`the config names the reward function "${name}", which was not handed over`, {
      accepted: names,
      hint: didYouMean(name, names),
    });
  };
  return { ...services, functions };
}

/** The services that the component's `requires` names; touching another one is the component's mistake. */
export function servicesOf(run: Run, { id, metadata }: Pick<Placed, "id" | "metadata">, host: HostServices): Services {
  const service = (name: ServiceName) => {
    if (!(metadata.requires ?? []).includes(name)) {
      throw new PluginError(`the ${metadata.point} "${id}" uses the service "${name}" without naming it in its requires`);
    }
    if (name === "scoreTokens") return scoreTokens(run);
    if (name === "policyGradient") return policyGradient(run);
    if (name === "likelihoodGradient") return likelihoodGradient(run);
    const given = host[name];
    if (given !== undefined) return given;
    throw new PluginError(`the ${metadata.point} "${id}" needs the service "${name}", which this run does not have`);
  };
  return {
    get embed() {
      return service("embed") as Services["embed"];
    },
    get judge() {
      return service("judge") as Services["judge"];
    },
    get scoreTokens() {
      return service("scoreTokens") as ScoreTokens;
    },
    get policyGradient() {
      return service("policyGradient") as PolicyGradient;
    },
    get functions() {
      return service("functions") as Services["functions"];
    },
    get likelihoodGradient() {
      return service("likelihoodGradient") as LikelihoodGradient;
    },
  };
}

const scoreTokens =
  (run: Run): ScoreTokens =>
  async (batch, { temperature = run.settings.sampling.temperature, prompts, responses } = {}) => {
    const rows = rowsOf(batch).map(({ prompt, response }, i) => ({ prompt: prompts?.[i] ?? prompt, response: responses?.[i] ?? response }));
    if (rows.length === 0) return new Float64Array();
    return boundedLogp((await run.policy.score(rows, { outputs: ["logp"], temperature })).logp!);
  };

const LAYER = /(?:^|\.)layers\.(\d+)\./;

const policyGradient =
  (run: Run): PolicyGradient =>
  async (batch, advantages, layers) => {
    const stepValues: StepValues = stepValuesOf(run, 0, run.settings.optimizer.learningRate);
    // Rewards ask before the columns of the update are there.
    const known = completeFactors(run, await addPolicyColumns(run, batch.with({ advantages }), run.columnsOnHost));
    const request = { program: run.program, batch: known, stepValues, temperature: run.settings.sampling.temperature };
    const gradients = await run.policy.gradients(request);
    const isWanted = (name: string) => {
      const layer = LAYER.exec(name)?.[1];
      return layers === undefined || (layer !== undefined && layers.includes(Number(layer)));
    };
    const parts = Object.keys(gradients).filter(isWanted).sort();
    const flat = new Float32Array(parts.reduce((size, name) => size + gradients[name]!.length, 0));
    let at = 0;
    for (const name of parts) {
      flat.set(gradients[name]!, at);
      at += gradients[name]!.length;
    }
    return flat;
  };

const LIKELIHOOD = new ObjectiveProgram(
  [{ id: "likelihood", component: { terms: ({ logp }) => ({ value: logp, aggregation: "token-sum" }) }, coefficient: 1, stepShapes: {} }],
  { aggregation: "token-sum" },
);

const likelihoodGradient =
  (run: Run): LikelihoodGradient =>
  (batch, parameters) =>
    run.policy.gradients({ program: LIKELIHOOD, batch, stepValues: {}, temperature: run.settings.sampling.temperature }, parameters);

/** What all terms read in the coming update, by `<term>.<name>`. */
export function stepValuesOf(run: Run, step: number, learningRate: number): StepValues {
  return Object.fromEntries(
    run.composition.terms.flatMap((term) =>
      Object.entries(run.stepValuesOf(term, step, learningRate)).map(([name, value]) => [`${term.id}.${name}`, value] as const),
    ),
  );
}
