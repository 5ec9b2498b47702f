import { type Static, type TProperties, Type } from "typebox";
import { AGGREGATIONS } from "../extension/points.js";

/** A file or folder: made absolute when a config is resolved. */
const path = (description: string) => Type.String({ format: "path", minLength: 1, description });
/** An object whose own defaults fill it when a config leaves it out. */
const section = <P extends TProperties>(properties: P, description: string) => Type.Object(properties, { default: {}, description });
/** A part whose schema comes from an installed package. */
const openSection = (description: string) => Type.Object({}, { additionalProperties: true, description });

const dataSection = Type.Object(
  {
    train: path("Training records: a JSONL, JSON, CSV or Parquet file, or `hub:owner/name` with /config/split behind it"),
    eval: Type.Optional(path("Held-out records, as in `train`")),
    evalFraction: Type.Number({
      default: 0,
      minimum: 0,
      exclusiveMaximum: 1,
      description: "Share of the training records held out for evaluation when `eval` is left out",
    }),
    prompt: Type.String({
      default: "prompt",
      description: "Field of a record that holds the prompt, a text or a list of messages; a path such as `task.question` leads into it",
    }),
    answer: Type.String({ default: "answer", description: "Field that holds the accepted answer, or a list of them" }),
    answerPattern: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          "Regular expression whose last match, or its first group, is the answer; when left out what follows the last `####`, else the whole text",
      }),
    ),
    template: Type.Optional(
      Type.String({
        pattern: "\\{[^{}]+\\}",
        description: "Prompt text with record fields in braces, e.g. `Question: {prompt}\\nAnswer:`",
      }),
    ),
    system: Type.Optional(Type.String({ description: "System message; needs a model with a chat template" })),
    maxPromptTokens: Type.Optional(Type.Integer({ minimum: 1, description: "Longest accepted prompt, tokens" })),
    overlong: Type.Enum(["error", "drop", "truncate"], {
      default: "error",
      description: "What happens to a longer prompt; `truncate` keeps its end",
    }),
    columns: Type.Record(Type.String(), Type.String(), {
      default: {},
      description: "Batch columns filled from record fields, as `column: field`",
    }),
    contamination: Type.Enum(["error", "warn", "off"], {
      default: "warn",
      description: "What happens when held-out prompts also stand in the training data, exactly or by most of their 8-word runs",
    }),
    memory: Type.Number({
      default: 256,
      exclusiveMinimum: 0,
      description: "Megabytes of records that are kept in memory; larger data sets are read from disk as they are needed",
    }),
  },
  { description: "Where prompts and answers come from" },
);

const UNFILTERED = "log-probs stay those of the whole distribution at the temperature";

const samplingSection = section(
  {
    maxTokens: Type.Integer({ default: 256, minimum: 1, description: "Longest response, tokens" }),
    temperature: Type.Number({ default: 1, exclusiveMinimum: 0, description: "Logits are divided by it" }),
    topP: Type.Number({
      default: 1,
      exclusiveMinimum: 0,
      maximum: 1,
      description: `Smallest set of tokens with this much probability; 1 = off; ${UNFILTERED}`,
    }),
    topK: Type.Integer({ default: 0, minimum: 0, description: `Only the K most likely tokens; 0 = off; ${UNFILTERED}` }),
    minP: Type.Number({
      default: 0,
      minimum: 0,
      exclusiveMaximum: 1,
      description: `Only tokens at least this likely relative to the likeliest; 0 = off; ${UNFILTERED}`,
    }),
    repetitionPenalty: Type.Number({
      default: 1,
      exclusiveMinimum: 0,
      description: `Logits of tokens seen before are divided by it (negative ones multiplied); 1 = off; ${UNFILTERED}, so training refuses it`,
    }),
    stopStrings: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: "Texts that end a response beside the tokenizer's stop tokens; the response keeps them",
    }),
  },
  "How responses are drawn",
);

const optimizerSection = section(
  {
    learningRate: Type.Number({ default: 1e-5, minimum: 0, description: "Peak learning rate of AdamW" }),
    schedule: Type.Enum(["constant", "linear", "cosine"], {
      default: "constant",
      description: "Course of the learning rate after the warm-up",
    }),
    warmupSteps: Type.Integer({ default: 0, minimum: 0, description: "Steps over which the learning rate rises from 0" }),
    minLearningRate: Type.Number({ default: 0, minimum: 0, description: "Where a linear or cosine schedule ends" }),
    weightDecay: Type.Number({ default: 0, minimum: 0, description: "Decoupled weight decay" }),
    beta1: Type.Number({ default: 0.9, minimum: 0, exclusiveMaximum: 1 }),
    beta2: Type.Number({ default: 0.999, minimum: 0, exclusiveMaximum: 1 }),
    epsilon: Type.Number({ default: 1e-8, exclusiveMinimum: 0 }),
    maxGradNorm: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Null()], {
      default: 1,
      description: "Global L2 norm that gradients are clipped to; null = no clip",
    }),
  },
  "AdamW",
);

const FIXED_LENGTH = "seq-mean-token-sum-norm";
const aggregation = Type.Union(
  [
    Type.Enum(AGGREGATIONS.filter((name) => name !== "scalar")),
    Type.Object({ kind: Type.Literal(FIXED_LENGTH), fixedLength: Type.Number({ exclusiveMinimum: 0, description: "Tokens" }) }),
  ],
  { description: "How per-token values become one number, for terms that do not say; the algorithm's, else token-mean" },
);

const rolloutsSection = section(
  {
    keep: Type.Union([Type.Enum(["all", "none"]), Type.Integer({ minimum: 1 })], {
      default: "all",
      description: "Steps whose rollouts stay in the run folder: all, none, or this many of the newest",
    }),
    every: Type.Integer({
      default: 1,
      minimum: 1,
      description: "Steps between stored rollouts; those of the first step are always stored",
    }),
    maxMegabytes: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Null()], {
      default: 4000,
      description: "Size of all stored rollouts; beyond it, every second stored step is deleted, again and again; null = no bound",
    }),
  },
  "Which rollouts stay in the run folder",
);

const trainerSection = section(
  {
    steps: Type.Integer({ default: 100, minimum: 1, description: "Training steps: batches sampled" }),
    tokenBudget: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
      default: null,
      description: "The run ends after the step in which the sampler has drawn this many response tokens in all, discarded ones included",
    }),
    epochs: Type.Integer({ default: 1, minimum: 1, description: "Passes over each batch" }),
    miniBatches: Type.Integer({ default: 1, minimum: 1, description: "Optimizer updates a pass" }),
    aggregation: Type.Optional(aggregation),
    recomputeOldLogp: Type.Boolean({
      default: false,
      description: "Score the batch again for `oldLogp` instead of keeping the sampler's log-probs",
    }),
    rewardConcurrency: Type.Integer({
      default: 4,
      minimum: 1,
      description: "Reward models that score a batch at the same time; one that reads what another writes waits for it",
    }),
    checkpointEvery: Type.Union([Type.Literal("auto"), Type.Integer({ minimum: 1 })], {
      default: "auto",
      description: "Steps between checkpoints; auto = as often as 5 % of the run time allows",
    }),
    keepCheckpoints: Type.Integer({ default: 2, minimum: 1, description: "Checkpoints kept; older ones are deleted" }),
    rollouts: rolloutsSection,
  },
  "The training loop",
);

const evaluationSection = section(
  {
    every: Type.Integer({
      default: 20,
      minimum: 0,
      description: "Steps between held-out evaluations; 0 = only before the first and after the last step",
    }),
    limit: Type.Integer({ default: 500, minimum: 1, description: "At most this many held-out prompts" }),
    greedy: Type.Boolean({ default: true, description: "Take the likeliest token instead of sampling" }),
    samples: Type.Integer({ default: 1, minimum: 1, description: "Responses a prompt, for sampled evaluation" }),
    metric: Type.String({ default: "accuracy", description: "Held-out metric that says which checkpoint is the best" }),
    mode: Type.Enum(["max", "min"], { default: "max", description: "Whether a larger or a smaller value of `metric` is better" }),
    minDelta: Type.Number({ default: 0, minimum: 0, description: "Difference that counts as better" }),
    keepBest: Type.Boolean({ default: true, description: "Keep the best checkpoint in checkpoints/best" }),
    patience: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
      default: null,
      description: "End the run after this many evaluations in a row that are not better; null = never",
    }),
  },
  "Held-out evaluation",
);

const sftSection = Type.Object(
  {
    steps: Type.Integer({ default: 100, minimum: 1, description: "Optimizer updates" }),
    batchSize: Type.Integer({ default: 32, minimum: 1, description: "Records an update" }),
    evalEvery: Type.Integer({ default: 0, minimum: 0, description: "Updates between held-out losses; 0 = only after the last" }),
  },
  { description: "Supervised training on prompts and answers (`proximal sft`)" },
);

const component = (what: string) => openSection(`${what}: \`use\` names it, further keys are its options`);

/** Watchdogs of a run that names none. */
const WATCHDOGS = [
  "non-finite",
  "kl-jump",
  "entropy-collapse",
  "length-drift",
  "zero-variance",
  "reward-dominance",
  "logp-gap",
  "unchanged-weights",
  "empty-batch",
];

/** The config of a run, the part that is the same for all runs. */
export const runSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: "For editors" })),
    formatVersion: Type.Literal(1, { default: 1, description: "Version of this format" }),
    name: Type.Optional(Type.String({ pattern: "^[^/\\\\]+$", description: "Name of the run; the file's name when left out" })),
    seed: Type.Integer({ default: 1, minimum: 0, maximum: 2147483647, description: "Equal seeds give equal runs" }),
    algorithm: Type.Optional(Type.String({ description: "A named composition, every part of which can be replaced below" })),
    plugins: Type.Array(Type.String({ minLength: 1 }), { default: [], description: "Further plugin packages, by name or folder" }),
    model: openSection("The policy; keys as the engine defines them"),
    teacher: Type.Optional(openSection("A frozen model with the policy's vocabulary, for losses that distil; keys as in `model`")),
    engine: Type.Object(
      { use: Type.Optional(Type.String()) },
      { additionalProperties: true, default: {}, description: "Where the policy runs" },
    ),
    data: dataSection,
    sampling: samplingSection,
    environment: Type.Optional(component("Tools or a world that answers the policy's turns")),
    sampler: Type.Optional(component("Which prompts, how many responses")),
    rewards: Type.Optional(
      Type.Array(openSection("`use`, `weight`, `name`, `inner`, options"), { description: "Reward models, added up by weight" }),
    ),
    advantage: Type.Optional(component("Credit of each token")),
    gate: Type.Optional(component("Trust-region gate")),
    objective: Type.Optional(component("A whole loss in place of a gate")),
    regularizers: Type.Optional(
      Type.Array(openSection("`use`, `coefficient`, options"), { description: "Further terms of the loss, added up by coefficient" }),
    ),
    judge: Type.Optional(component("Who grades completions, for components that require a judge")),
    embed: Type.Optional(component("What turns texts into vectors, for components that require an embedding")),
    exporters: Type.Optional(
      Type.Array(openSection("`use`, options"), {
        description: "Who else is told of the run's metrics; one that fails never stops the run",
      }),
    ),
    watchdogs: Type.Array(openSection("`use`, `action`, options"), {
      default: WATCHDOGS.map((use) => ({ use })),
      description: "What looks out for trouble after each step; [] = nothing",
    }),
    optimizer: optimizerSection,
    trainer: trainerSection,
    evaluation: evaluationSection,
    sft: Type.Optional(sftSection),
    output: Type.Optional(path("Run folder; runs/<name> in the working directory when left out")),
  },
  { title: "Proximal run" },
);

export type DataSection = Static<typeof dataSection>;
export type SamplingSection = Static<typeof samplingSection>;
export type OptimizerSection = Static<typeof optimizerSection>;
export type RolloutsSection = Static<typeof rolloutsSection>;
export type TrainerSection = Static<typeof trainerSection>;
export type EvaluationSection = Static<typeof evaluationSection>;
export type SftSection = Static<typeof sftSection>;
