import type { ManifestComponent } from "../extension/manifest.js";
import type { ExtensionPoint } from "../extension/names.js";
import { WATCHDOG_ACTIONS } from "../extension/watchdog.js";
import { coreSchema } from "./core-schema.js";
import type { Installation } from "./installation.js";
import type { JsonSchema } from "./json-schema.js";

/** Sections of a config that hold components, with the point of each. */
export const COMPONENT_SECTIONS = {
  environment: "environment",
  sampler: "sampler",
  rewards: "reward",
  advantage: "advantage",
  gate: "gate",
  objective: "objective",
  regularizers: "regularizer",
  judge: "judge",
  embed: "embedder",
  exporters: "exporter",
  watchdogs: "watchdog",
} as const satisfies Record<string, ExtensionPoint>;
export type ComponentSectionName = keyof typeof COMPONENT_SECTIONS;
export const LIST_SECTIONS: ReadonlySet<string> = new Set<ComponentSectionName>(["rewards", "regularizers", "exporters", "watchdogs"]);

const text = (description: string): JsonSchema => ({ type: "string", description });

/** Keys of a component's section that are the host's, not the component's. */
export function hostProperties(point: ExtensionPoint, wraps: boolean): Record<string, JsonSchema> {
  const use = { use: text("Component, by id") };
  switch (point) {
    case "reward":
      return {
        ...use,
        weight: { type: "number", default: 1, description: "Factor of this reward in the sum" },
        name: text("Name in metrics and rollouts; the component's id when left out"),
        timeoutSeconds: {
          anyOf: [{ type: "number", exclusiveMinimum: 0 }, { type: "null" }],
          default: null,
          description: "Longest time for the responses of a step; null = no limit",
        },
        retries: { type: "integer", minimum: 0, default: 0, description: "Further tries after an error or a timeout" },
        onFailure: {
          enum: ["stop", "unverifiable"],
          default: "stop",
          description: "After the last try: the run breaks off, or the responses get no reward and take no part in the update",
        },
        ...(wraps ? { inner: { type: "array", minItems: 1, items: { type: "object" }, description: "Reward models that it wraps" } } : {}),
      };
    case "environment":
      return {
        ...use,
        maxTurns: { type: "integer", minimum: 1, default: 8, description: "Turns of the policy after which an episode is cut" },
        observationTokens: { type: "integer", minimum: 1, description: "Longest observation, tokens; the rest of it is left out" },
      };
    case "watchdog":
      return {
        ...use,
        action: {
          enum: [...WATCHDOG_ACTIONS],
          default: "warn",
          description:
            "warn; pause = save and leave the rest to `proximal resume`; stop = end the run; rollback = back to the last checkpoint",
        },
        rollbacks: { type: "integer", minimum: 1, default: 3, description: "Rollbacks of the run after which it stops instead" },
        learningRateFactor: {
          type: "number",
          exclusiveMinimum: 0,
          maximum: 1,
          default: 0.5,
          description: "Factor of the learning rate after a rollback, whose samples are drawn anew, too",
        },
      };
    case "gate":
    case "objective":
    case "regularizer":
      return { ...use, coefficient: { type: "number", default: 1, description: "Factor of this term in the loss" } };
    default:
      return use;
  }
}

/** Core's own part of the run schema: everything but the sections whose schema comes from packages. */
export const coreRunSchema = (): JsonSchema => coreSchema("run");

const keyOf = ({ point, id }: Pick<ManifestComponent, "point" | "id">): string => `${point}-${id}`;

/**
 * The whole run schema for editors: core's own part with every installed component, algorithm and engine filled in.
 * A section without `use` keeps the algorithm's component, which only the host knows: its options are left open here.
 */
export function composeRunSchema(installed: Installation, base: JsonSchema = coreRunSchema()): JsonSchema {
  const defs: Record<string, JsonSchema> = {};
  for (const { package: owner, component } of installed.componentsOf()) {
    const { $schema: _schema, title: _title, ...options } = installed.schema(owner, component.schema);
    const properties = {
      ...hostProperties(component.point, component.wraps),
      ...(component.wraps ? { inner: { type: "array", minItems: 1, items: { $ref: "#/$defs/reward" } } } : {}),
      use: { const: component.id },
      ...(options.properties as JsonSchema),
    };
    defs[keyOf(component)] = { ...options, description: `${component.description} (${owner.manifest.name})`, properties };
  }
  const properties = { ...(base.properties as Record<string, JsonSchema>) };
  for (const [name, point] of Object.entries(COMPONENT_SECTIONS)) {
    defs[point] = choice(installed.componentsOf(point).map(({ component }) => component));
    const ref = { $ref: `#/$defs/${point}` };
    const { description, default: standard } = properties[name]!;
    properties[name] = LIST_SECTIONS.has(name)
      ? { type: "array", description, ...(standard === undefined ? {} : { default: standard }), items: { ...ref, required: ["use"] } }
      : { description, ...ref };
  }
  const algorithms = [...installed.algorithms].map(([id, { algorithm }]) => ({ const: id, description: algorithm.description }));
  properties.algorithm = { ...properties.algorithm, ...(algorithms.length > 0 ? { anyOf: algorithms } : NOTHING) };
  const adapters = [...installed.adapters.values()];
  if (adapters.length > 0) {
    const engines = adapters.map(({ package: owner, adapter }) => {
      const { $schema: _a, title: _b, ...engine } = installed.schema(owner, adapter.engineSchema);
      const { $schema: _c, title: _d, ...model } = installed.schema(owner, adapter.modelSchema);
      return { adapter, engine: { ...engine, properties: { use: { const: adapter.id }, ...(engine.properties as object) } }, model };
    });
    for (const { adapter, engine, model } of engines) {
      defs[`engine-${adapter.id}`] = { ...engine, description: adapter.description };
      defs[`model-${adapter.id}`] = model;
    }
    const refs = (what: string) => adapters.map(({ adapter }) => ({ $ref: `#/$defs/${what}-${adapter.id}` }));
    properties.engine = { default: {}, description: properties.engine!.description, anyOf: refs("engine") };
    for (const name of ["model", "teacher"]) properties[name] = { description: properties[name]!.description, anyOf: refs("model") };
  }
  return { ...base, properties, $defs: defs };
}

/** No value is right. */
const NOTHING: JsonSchema = { not: {} };

/** A section of one point: `use` decides which schema holds. */
function choice(components: readonly ManifestComponent[]): JsonSchema {
  if (components.length === 0) return NOTHING;
  const use = { enum: components.map(({ id }) => id), description: "Component, by id" };
  const branches = components.map((component) => ({
    if: { properties: { use: { const: component.id } }, required: ["use"] },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON schema
    then: { $ref: `#/$defs/${keyOf(component)}` },
  }));
  return { type: "object", properties: { use }, allOf: branches };
}
