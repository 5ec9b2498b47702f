import { type Static, Type } from "typebox";
import { COLUMN_AT, COLUMN_DTYPES } from "../rollout/column.js";
import { EXTENSION_POINTS, SERVICES } from "./names.js";

const id = (description: string) => Type.String({ pattern: "^[a-z0-9][A-Za-z0-9.+-]*(@[a-z0-9.+-]+)?$", description });
const file = (description: string) => Type.String({ pattern: "^\\./", description: `${description}, relative to the package` });
const names = (description: string) => Type.Array(Type.String(), { description });

const columnReference = Type.Union([
  Type.String({ description: "A standard column" }),
  Type.Object({
    name: Type.String(),
    optional: Type.Optional(Type.Boolean()),
    unless: Type.Optional(
      Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]), {
        description: "Not read while the options have these values",
      }),
    ),
    at: Type.Optional(Type.Enum([...COLUMN_AT])),
    dtype: Type.Optional(Type.Enum([...COLUMN_DTYPES])),
    width: Type.Optional(Type.Union([Type.Integer({ minimum: 1 }), Type.String()])),
  }),
]);

const component = Type.Object({
  id: id("Name in configs, unique within its extension point"),
  point: Type.Enum([...EXTENSION_POINTS]),
  description: Type.String(),
  class: Type.String({ description: "Name of the class that carries the decorator" }),
  module: file("Module that holds the class"),
  schema: file("JSON schema of the options"),
  reads: Type.Array(columnReference, { description: "Columns it reads" }),
  writes: Type.Array(columnReference, { description: "Columns it writes" }),
  requires: Type.Array(Type.Enum([...SERVICES]), { description: "Services it calls" }),
  needs: names("Properties that some other component of the run must provide"),
  provides: names("Properties that others can demand"),
  conventions: Type.Record(Type.String(), Type.String(), { description: "Choices that change numbers under the same name elsewhere" }),
  wraps: Type.Boolean({ description: "It wraps other reward models, given as `inner`" }),
});

const algorithm = Type.Object({
  description: Type.String(),
  aggregation: Type.Optional(Type.String({ description: "Aggregation of terms that name none" })),
  compose: Type.Object({}, { additionalProperties: true, description: "Part of a run config that the algorithm stands for" }),
});

const adapter = Type.Object({
  id: id("`engine.use` in configs"),
  description: Type.String(),
  module: file("Module whose default export is the adapter"),
  modelSchema: file("JSON schema of the config's `model` section"),
  engineSchema: file("JSON schema of the config's `engine` section"),
  provides: names("Properties that components can demand"),
});

/** What a package offers to runs, as data: a host reads it without loading the package's code. */
export const manifestSchema = Type.Object(
  {
    contract: Type.Integer({ description: "Version of the contract between host and plugin" }),
    name: Type.String({ description: "Name of the package" }),
    version: Type.String({ description: "Version of the package" }),
    slug: Type.String({ description: "Name of the package without its prefix" }),
    title: Type.String({ description: "Short name and full title of the method" }),
    paper: Type.Optional(
      Type.Object({
        title: Type.String(),
        authors: Type.Optional(Type.String()),
        year: Type.Integer(),
        arxiv: Type.Optional(Type.String()),
        url: Type.Optional(Type.String()),
      }),
    ),
    provenance: Type.String({ description: "Where the formulas come from" }),
    reconstructed: names("Parts that are a reading of an abstract, not of the paper"),
    components: Type.Array(component),
    algorithms: Type.Record(Type.String(), algorithm, { description: "Named compositions by id" }),
    adapters: Type.Array(adapter, { description: "Engines" }),
  },
  { title: "Proximal plugin manifest" },
);

export type Manifest = Static<typeof manifestSchema>;
export type ManifestComponent = Static<typeof component>;
export type ManifestAlgorithm = Static<typeof algorithm>;
export type ManifestAdapter = Static<typeof adapter>;
