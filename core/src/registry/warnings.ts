import type { ResolvedComponent } from "../config/component.js";
import type { ResolvedConfig } from "../config/resolve.js";
import { aggregationKey, aggregationName } from "../objective/aggregation.js";
import { partsOf } from "./columns.js";

/** A combination that runs and is known to go wrong. */
export interface CompositionWarning {
  rule: string;
  /** Place in the config. */
  path: string;
  message: string;
  hint: string;
}

interface Rule {
  /** What is known of the combination, for the documentation. */
  rule: string;
  finds(config: ResolvedConfig): Omit<CompositionWarning, "rule"> | undefined;
}

const convention = ({ component }: ResolvedComponent, name: string): string => component.conventions[name] ?? "";
const number = (value: unknown): number => (typeof value === "number" ? value : 0);
const called = ({ point, id }: ResolvedComponent): string => `${point} "${id}"`;

/** "token", "sequence mean" or "sequence product": what the ratio of a gate or an objective is of. */
function ratioLevel(part: ResolvedComponent): string {
  if (part.options.level === "sequence") return "sequence";
  return convention(part, "ratioLevel") || "token";
}

const aggregationOf = (part: ResolvedComponent, { trainer }: ResolvedConfig): string =>
  typeof part.options.aggregation === "string" ? part.options.aggregation : aggregationName(aggregationKey(trainer.aggregation));

const losses = ({ gate, objective }: ResolvedConfig): ResolvedComponent[] => [gate, objective].filter((part) => part !== undefined);

const everyReward = (config: ResolvedConfig): ResolvedComponent[] => partsOf(config).filter(({ point }) => point === "reward");

/** It divides by a standard deviation, with its options. */
function standardises(part: ResolvedComponent): boolean {
  const { scale, normalize, whiten } = part.options;
  if (scale === "none" || normalize === false || whiten === false || whiten === "none") return false;
  const std = convention(part, "std");
  return std !== "" && (!/^none/.test(std) || normalize === true);
}

const lengthNormalised = (part: ResolvedComponent): boolean => /^divided/.test(convention(part, "length"));

/** Updates a batch. */
const updates = ({ trainer }: ResolvedConfig): number => trainer.epochs * trainer.miniBatches;

/** One row a combination. */
const RULES: readonly Rule[] = [
  {
    rule: "a ratio of whole responses is averaged over responses",
    finds: (config) => {
      // A component that states its aggregation has a fixed one.
      const part = losses(config).find(
        (loss) => ratioLevel(loss) !== "token" && convention(loss, "aggregation") === "" && aggregationOf(loss, config) === "token-mean",
      );
      if (part === undefined) return undefined;
      return {
        path: part.path,
        message: `${called(part)} has one ratio a response, but its terms are averaged over tokens: long responses count by their length`,
        hint: "aggregation: seq-mean-token-mean",
      };
    },
  },
  {
    rule: "rewards are divided by a standard deviation once",
    finds: (config) => {
      const reward = everyReward(config).find(standardises);
      if (reward === undefined || config.advantage === undefined || !standardises(config.advantage)) return undefined;
      return {
        path: config.advantage.path,
        message: `${called(reward)} and ${called(config.advantage)} both divide by a standard deviation: the scale of the rewards is lost twice`,
        hint: "use an advantage without a std (scale: none), or the reward as it is",
      };
    },
  },
  {
    rule: "the KL to the reference is charged once: in the reward or in the loss",
    finds: (config) => {
      const credited = [...everyReward(config), config.advantage].find((part) => part !== undefined && number(part.options.klCoef) > 0);
      const charged = [...losses(config), ...config.regularizers].find(
        (part) => (/^in the loss/.test(convention(part, "kl")) && part.coefficient !== 0) || number(part.options.klCoef) > 0,
      );
      if (credited === undefined || charged === undefined) return undefined;
      return {
        path: charged.path,
        message: `the KL to the reference is counted in the reward (${called(credited)}, klCoef ${number(credited.options.klCoef)}) and in the loss (${called(charged)})`,
        hint: "drop the term, or set klCoef to 0",
      };
    },
  },
  {
    rule: "a ratio that is a mean over a response has clip ranges of about 4e-4",
    finds: (config) => {
      const part = losses(config).find((loss) => ratioLevel(loss) === "sequence mean");
      const width = part && Math.max(number(part.options.clipLow), number(part.options.clipHigh));
      if (part === undefined || width === undefined || width < 0.02) return undefined;
      return {
        path: part.path,
        message: `${called(part)} clips the mean ratio of a response at ${width}, a range for single tokens: it will hardly ever act`,
        hint: "clipLow: 3e-4, clipHigh: 4e-4",
      };
    },
  },
  {
    rule: "a ratio of single tokens has clip ranges of about 0.2",
    finds: (config) => {
      const part = losses(config).find((loss) => ratioLevel(loss) === "token");
      const width = part && Math.max(number(part.options.clipLow), number(part.options.clipHigh));
      if (part === undefined || width === undefined || width === 0 || width > 0.005) return undefined;
      return {
        path: part.path,
        message: `${called(part)} clips the ratio of single tokens at ${width}, a range for means over a response: it will cut off nearly every token`,
        hint: "clipLow: 0.2, clipHigh: 0.28",
      };
    },
  },
  {
    rule: "the length of a response is divided out once",
    finds: (config) => {
      const part = [...everyReward(config), config.advantage].find((other) => other !== undefined && lengthNormalised(other));
      const loss = losses(config).find((other) => ["seq-mean-token-mean", "otm"].includes(aggregationOf(other, config)));
      if (part === undefined || loss === undefined) return undefined;
      return {
        path: loss.path,
        message: `${called(part)} divides by the length of the response, and so does the aggregation of ${called(loss)}: tokens of long responses hardly count`,
        hint: "aggregation: seq-mean-token-sum-norm, or token-mean",
      };
    },
  },
  {
    rule: "recomputed old log-probs need more than one update a batch",
    finds: (config) => {
      if (!config.trainer.recomputeOldLogp || updates(config) > 1) return undefined;
      return {
        path: "trainer.recomputeOldLogp",
        message:
          "with one update a batch and recomputed old log-probs every ratio is 1: the gate never acts, and what the engines disagree on is not corrected",
        hint: "leave recomputeOldLogp out, or set epochs or miniBatches above 1",
      };
    },
  },
  {
    rule: "a loss without a ratio is right for one update a batch",
    finds: (config) => {
      const part = losses(config).find((loss) => /^(none|current policy)/.test(convention(loss, "ratioAnchor")));
      if (part === undefined || updates(config) === 1) return undefined;
      return {
        path: part.path,
        message: `${called(part)} has no ratio to the policy that sampled, but a batch gets ${updates(config)} updates: from the second one on its gradient is biased`,
        hint: "trainer: { epochs: 1, miniBatches: 1 }, or a gate with a ratio",
      };
    },
  },
  {
    rule: "advantages relative to a group need groups of two",
    finds: ({ sampler, advantage }) => {
      if (advantage === undefined || sampler?.options.groupSize !== 1) return undefined;
      const lone = advantage.options.groupOfOne ?? advantage.options.singleton;
      if (!/^(0|zero)/.test(convention(advantage, "groupOfOne")) || lone === "raw" || lone === "raw-scaled") return undefined;
      return {
        path: sampler.path,
        message: `groups of one response have the advantage 0 under ${called(advantage)}: nothing is learned`,
        hint: "groupSize: 8",
      };
    },
  },
  {
    rule: "mini-batches are at most as many as the groups",
    finds: ({ sampler, trainer }) => {
      const groups = number(sampler?.options.promptsPerStep);
      if (sampler === undefined || groups === 0 || trainer.miniBatches <= groups) return undefined;
      return {
        path: "trainer.miniBatches",
        message: `groups stay whole: ${groups} of them make ${groups} updates a pass at most, not ${trainer.miniBatches}`,
        hint: `miniBatches: ${groups}, or more promptsPerStep`,
      };
    },
  },
  {
    rule: "some reward counts",
    finds: ({ rewards }) => {
      if (rewards.length === 0 || rewards.some(({ weight }) => weight !== 0)) return undefined;
      return {
        path: rewards[0]!.path,
        message: "every reward has the weight 0: it is reported, and nothing is learned from it",
        hint: "weight: 1",
      };
    },
  },
  {
    rule: "truncated responses are punished or left out, not both",
    finds: (config) => {
      const overlong = everyReward(config).find(({ id, weight }) => id === "overlong" && weight !== 0);
      const part = losses(config).find(({ options }) => options.overlongFilter === true);
      if (overlong === undefined || part === undefined) return undefined;
      return {
        path: part.path,
        message: `${called(part)} leaves truncated responses out of the loss, so that what ${called(overlong)} takes from them teaches nothing`,
        hint: "overlongFilter: false",
      };
    },
  },
];

/** Combinations of a run that are known to go wrong, from manifests alone. */
export const compositionWarnings = (config: ResolvedConfig): CompositionWarning[] =>
  RULES.flatMap(({ rule, finds }) => {
    const found = finds(config);
    return found === undefined ? [] : [{ rule, ...found }];
  });

/** The rules, for documentation. */
export const COMPOSITION_RULES: readonly string[] = RULES.map(({ rule }) => rule);
