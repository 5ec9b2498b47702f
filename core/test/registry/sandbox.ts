import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { CORE_FOLDER } from "../../src/config/installation.js";
import type { ManifestComponent } from "../../src/extension/manifest.js";
import { generate, writeGenerated } from "../../src/registry/author.js";

type Json = Readonly<Record<string, unknown>>;

/** A project folder of its own with packages installed in it; removed after the tests of the suite. */
export class Sandbox {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "proximal-test-")));

  constructor() {
    this.write("package.json", { name: "project", version: "1.0.0" });
    mkdirSync(join(this.folder, "node_modules/@proximal"), { recursive: true });
    symlinkSync(CORE_FOLDER, join(this.folder, "node_modules/@proximal/core"));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  write(file: string, content: string | Json): string {
    const full = this.path(file);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, typeof content === "string" ? content : JSON.stringify(content, null, 2));
    return full;
  }

  /** A package whose code is `module`; its manifest is generated from the code. */
  async install(
    name: string,
    module: string,
    { at = `node_modules/${name}`, packageJson = {} }: { at?: string; packageJson?: Json } = {},
  ): Promise<void> {
    this.write(`${at}/package.json`, {
      name,
      version: "1.2.3",
      type: "module",
      exports: "./index.js",
      proximal: { manifest: "./manifest.json" },
      ...packageJson,
    });
    this.write(`${at}/index.js`, module);
    writeGenerated(this.path(at), await generate(this.path(at)));
  }

  /** A package of which only the manifest exists. */
  declare(name: string, manifest: Json, at = `node_modules/${name}`): void {
    this.write(`${at}/package.json`, { name, version: "1.2.3", proximal: { manifest: "./manifest.json" } });
    this.write(`${at}/schemas/none.schema.json`, { type: "object", properties: {}, additionalProperties: false });
    this.write(`${at}/manifest.json`, {
      contract: 1,
      name,
      version: "1.2.3",
      slug: name.replace(/^.*plugin-/, ""),
      title: name,
      provenance: "",
      reconstructed: [],
      components: [],
      algorithms: {},
      adapters: [],
      ...manifest,
    });
  }
}

/** An entry of a manifest for a component without options. */
export const component = (point: ManifestComponent["point"], id: string, more: Partial<ManifestComponent> = {}): ManifestComponent => ({
  id,
  point,
  description: "",
  class: "None",
  module: "./index.js",
  schema: "./schemas/none.schema.json",
  reads: [],
  writes: [],
  requires: [],
  needs: [],
  provides: [],
  conventions: {},
  wraps: false,
  ...more,
});

/** Code of an engine package: `model` is a checkpoint or a new network, `engine.threads` has a default. */
const TOY_ENGINE = `
import { defineAdapter, Type } from "@proximal/core";
export default defineAdapter({
  id: "toy",
  description: "Answers with the request",
  modelSchema: Type.Union([
    Type.Object({ checkpoint: Type.String({ format: "path" }) }),
    Type.Object({ layers: Type.Integer({ minimum: 1 }), width: Type.Integer({ default: 64 }), tokenizer: Type.String({ format: "path" }) }),
  ]),
  engineSchema: Type.Object({
    threads: Type.Integer({ default: 2, minimum: 1 }),
    provider: Type.Enum(["cpu", "cuda"], { default: "cpu" }),
    apiKey: Type.Optional(Type.String()),
  }),
  open: async (request) => request,
});
`;

/** Code of a plugin with a gate of two options, a wrapping reward and an algorithm. */
export const SOFT_PLUGIN = `
import { definePlugin, options, runFacts, trustRegionGate, rewardModel, Type } from "@proximal/core";

export class SoftGate {
  constructor(options, facts) { this.options = options; this.facts = facts; }
  terms() { return []; }
}
options()(SoftGate, undefined, 0);
runFacts()(SoftGate, undefined, 1);
trustRegionGate({
  id: "soft",
  description: "Soft clip",
  options: Type.Object({
    tauPos: Type.Number({ default: 1, exclusiveMinimum: 0, description: "Temperature where A > 0" }),
    tauNeg: Type.Number({ default: 1.05, exclusiveMinimum: 0 }),
    window: Type.Tuple([Type.Number(), Type.Number({ minimum: 0 })], { default: [0, 1] }),
    shape: Type.Union([Type.Literal("sigmoid"), Type.Literal("tanh")], { default: "sigmoid" }),
  }),
  conventions: { bound: "soft" },
})(SoftGate);

export class Scaled {
  constructor(options) { this.options = options; }
  score(batch, { inner }) { return { rewards: inner.rewards }; }
}
options()(Scaled, undefined, 0);
rewardModel({ id: "scaled", wraps: true, options: Type.Object({ factor: Type.Number({ default: 2 }), apiKey: Type.Optional(Type.String()) }) })(Scaled);

export default definePlugin({
  slug: "soft",
  title: "Soft gate",
  provenance: "test",
  components: [SoftGate, Scaled],
  algorithms: {
    soft: {
      description: "Group-normalised rewards with a soft gate",
      aggregation: "seq-mean-token-mean",
      compose: {
        sampler: { use: "independent", groupSize: 4 },
        rewards: [{ use: "exact-match", weight: 0.5 }, { use: "numeric" }],
        advantage: { use: "group-normalized", ddof: 0 },
        gate: { use: "soft", tauNeg: 1.2 },
        regularizers: [{ use: "kl", coefficient: 0.04 }],
        trainer: { epochs: 2 },
      },
    },
  },
});
`;

/** A project with the toy engine and the soft plugin. */
export async function softProject(): Promise<Sandbox> {
  const sandbox = new Sandbox();
  await sandbox.install("@proximal/toy", TOY_ENGINE);
  await sandbox.install("@proximal/plugin-soft", SOFT_PLUGIN);
  return sandbox;
}
