import { Type } from "typebox";

const COMPONENTS = [
  "sampler",
  "reward",
  "advantage",
  "gate",
  "regularizer",
  "objective",
  "critic",
  "head",
  "network",
  "environment",
  "optimizer",
  "attention",
] as const;

const anything = (description: string) => Type.Object({}, { additionalProperties: true, description });

const conformanceDocument = Type.Object({
  formatVersion: Type.Literal(1, { default: 1 }),
  paper: Type.String({ pattern: "^[a-z0-9-]+$", description: "Slug of the plugin" }),
  component: Type.Enum([...COMPONENTS]),
  kind: Type.Optional(Type.String({ description: "Where one paper has cases of different nature for the same component" })),
  cases: Type.Array(
    Type.Object({
      name: Type.String({ description: "Unique in the document" }),
      options: Type.Object({}, { additionalProperties: true, default: {}, description: "Options; what is left out takes its default" }),
      inputs: anything("Inputs by name"),
      expected: anything("Results by name; further results are ignored"),
      tolerance: Type.Number({ minimum: 0, description: "|a - b| <= tolerance * max(1, |b|), b = the expected number; 0 = exactly equal" }),
    }),
  ),
});

/** A file of conformance vectors: one document or a list of them. */
export const conformanceSchema = Type.Union([conformanceDocument, Type.Array(conformanceDocument)]);

const answer = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);

const message = Type.Object(
  { role: Type.Enum(["system", "user", "assistant", "tool"]), content: Type.String() },
  { additionalProperties: true },
);

/** One record of a data set. Other names for the two fields are set by the config's `data.prompt` and `data.answer`. */
export const datasetRecordSchema = Type.Object(
  {
    prompt: Type.Optional(
      Type.Union([Type.String(), Type.Array(message)], {
        description: "Question or instruction, or the messages of a conversation up to what is to be answered; `question` is read too",
      }),
    ),
    answer: Type.Optional(
      Type.Union([answer, Type.Array(answer)], {
        description: "Accepted answer, or a list of them; of a text with `####` only what follows it counts",
      }),
    ),
  },
  { additionalProperties: true, description: "Further fields can be used in `data.template` and `data.columns`" },
);

/** One line of `metrics.jsonl`. */
export const metricsRecordSchema = Type.Object(
  { step: Type.Integer({ minimum: 1, description: "Training step, from 1" }) },
  { additionalProperties: Type.Union([Type.Number(), Type.Null()]), description: "Metrics by name; null = does not exist in this step" },
);
