import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Batch,
  CharTokenizer,
  ClipGate,
  type ComponentClass,
  completeOptions,
  EntropyRegularizer,
  ExactMatchReward,
  GroupNormalizedAdvantage,
  IndependentSampler,
  instantiate,
  KlRegularizer,
  makeDataSets,
  memorySource,
  metadataOf,
  metadataUnder,
  type Placed,
  type RewardModel,
  type RewardResult,
  Run,
  type RunComponents,
  type RunParts,
  type RunSettings,
  rewardModel,
  TabularPolicy,
  watchdogs,
} from "../../src/index.js";

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), "proximal-"));

const sums = (size = 6) => Array.from({ length: size }, (_, i) => ({ prompt: `${i}+1=`, answer: `${i + 1}`, level: i % 2 }));

export function place<C>(
  target: ComponentClass<C>,
  options: Readonly<Record<string, unknown>> = {},
  id = metadataOf(target).id,
): Placed<C> {
  const complete = completeOptions(target, options);
  return { id, component: instantiate(target, complete), metadata: metadataUnder(target, complete) };
}

export const grpo = (over: Partial<RunComponents> = {}): RunComponents => ({
  sampler: place(IndependentSampler, { groupSize: 8, promptsPerStep: 4 }),
  rewards: [{ ...place(ExactMatchReward), weight: 1, inner: [] }],
  advantage: place(GroupNormalizedAdvantage),
  terms: [
    { ...place(ClipGate), coefficient: 1 },
    { ...place(KlRegularizer), coefficient: 0.01 },
    { ...place(EntropyRegularizer), coefficient: 0.001 },
  ],
  watchdogs: watchdogs.map((target) => ({
    id: metadataOf(target).id,
    component: place(target).component,
    action: "warn",
    rollbacks: 3,
    learningRateFactor: 0.5,
  })),
  aggregation: "token-mean",
  specs: {},
  ...over,
});

/** The clipped surrogate alone. */
export const gateOnly = (): RunComponents => grpo({ terms: grpo().terms.slice(0, 1) });

/** 1 when the first token is even, else 0. */
@rewardModel({ id: "even", reads: ["tokens"] })
export class EvenReward implements RewardModel {
  score(batch: Batch): RewardResult {
    return { rewards: Float64Array.from({ length: batch.rows }, (_, row) => 1 - (batch.tokensOf("tokens", row)[0]! % 2)) };
  }
}

type Nested<T> = { [K in keyof T]?: T[K] extends object ? Partial<T[K]> : T[K] };

export const settings = (over: Nested<RunSettings> = {}): RunSettings => ({
  seed: over.seed ?? 1,
  sampling: { maxTokens: 3, temperature: 1, topP: 1, topK: 0, minP: 0, repetitionPenalty: 1, stopStrings: [], ...over.sampling },
  optimizer: {
    learningRate: 0.1,
    schedule: "constant",
    warmupSteps: 0,
    minLearningRate: 0,
    beta1: 0.9,
    beta2: 0.99,
    epsilon: 1e-8,
    weightDecay: 0,
    maxGradNorm: 1,
    ...over.optimizer,
  },
  trainer: {
    steps: 6,
    tokenBudget: null,
    epochs: 1,
    miniBatches: 1,
    recomputeOldLogp: false,
    rewardConcurrency: 4,
    checkpointEvery: 2,
    keepCheckpoints: 9,
    ...over.trainer,
    rollouts: { keep: "all", every: 1, maxMegabytes: null, ...over.trainer?.rollouts },
  },
  evaluation: {
    every: 3,
    limit: 100,
    greedy: true,
    samples: 1,
    metric: "accuracy",
    mode: "max",
    minDelta: 0,
    keepBest: false,
    patience: null,
    ...over.evaluation,
  },
});

/** A run on a table of logits over a small alphabet, with the default composition of GRPO. */
export function tabularRun(
  folder: string,
  over: Partial<Omit<RunParts, "settings">> & { settings?: Nested<RunSettings>; alphabet?: string } = {},
): Run & { policy: TabularPolicy } {
  const tokenizer = new CharTokenizer(over.alphabet ?? "0123456789+=");
  const chosen = settings(over.settings);
  const policy = over.policy ?? new TabularPolicy({ tokenizer, optimizer: chosen.optimizer });
  const facts = { tokenizer, contextLength: policy.info.contextLength, maxTokens: chosen.sampling.maxTokens, answerRequired: true };
  const data =
    over.data ??
    makeDataSets(
      {
        train: memorySource(
          join(folder, "sums.jsonl"),
          sums().map((fields, i) => ({ fields, place: `line ${i + 1}` })),
        ),
      },
      { evalFraction: 0.2 },
      facts,
      chosen.seed,
    );
  return new Run({ ...over, settings: chosen, policy, composition: over.composition ?? grpo(), data }) as Run & { policy: TabularPolicy };
}
