import { fileURLToPath } from "node:url";
import {
  buildComposition,
  ConfigDocument,
  checkComposition,
  discover,
  Installation,
  type InstalledPackage,
  POLICY_COLUMNS,
  partsOf,
  REWARD_COLUMNS,
  type ResolvedConfig,
  ROLLOUT_COLUMNS,
  resolveDocument,
  runFactsOf,
  STANDARD_COLUMNS,
  type StandardColumn,
} from "@proximal/core";
import { expect } from "chai";

const root = fileURLToPath(new URL("../..", import.meta.url));
const services = ["embed", "judge"] as const;

/** An engine that takes any model: what is checked here loads none. */
const anyEngine = (packages: readonly InstalledPackage[]): InstalledPackage => ({
  folder: packages[0]!.folder,
  manifest: {
    ...packages[0]!.manifest,
    name: "any-engine",
    components: [],
    algorithms: {},
    adapters: [
      {
        id: "any",
        description: "",
        module: "./none.js",
        modelSchema: "./schemas/sampler-independent.schema.json",
        engineSchema: "./schemas/sampler-independent.schema.json",
        provides: [],
      },
    ],
  },
});

/** Data set fields for the row columns that a run reads and that neither the run nor its components write. */
function fieldsFor(config: ResolvedConfig): Record<string, string> {
  const nameOf = (reference: string | { name: string }) => (typeof reference === "string" ? reference : reference.name);
  const written = new Set<string>([...ROLLOUT_COLUMNS, ...POLICY_COLUMNS, ...REWARD_COLUMNS]);
  for (const { component } of partsOf(config)) for (const reference of component.writes) written.add(nameOf(reference));
  const isRow = (reference: string | { name: string; at?: string }) => {
    const at = typeof reference === "object" ? reference.at : undefined;
    return (at ?? STANDARD_COLUMNS[nameOf(reference) as StandardColumn]?.at) === "row";
  };
  const missing = partsOf(config).flatMap(({ component }) => component.reads.filter((r) => isRow(r) && !written.has(nameOf(r))));
  return Object.fromEntries(missing.map((reference) => [nameOf(reference), nameOf(reference)]));
}

describe("every algorithm of this repository", () => {
  const { packages } = discover([root]);
  const installed = new Installation([...packages, anyEngine(packages)]);
  const ids = [...installed.algorithms.keys()];

  it("is found", () => expect(ids).to.include.members(["grpo", "sapo"]));

  for (const id of ids) {
    it(`${id} names installed components with valid options that fit together`, async () => {
      const { compose } = installed.algorithms.get(id)!.algorithm as { compose: { rewards?: object[] } };
      const config = {
        algorithm: id,
        model: {},
        engine: { use: "any" },
        data: { train: "none.jsonl" },
        ...(compose.rewards === undefined ? { rewards: [{ use: "exact-match" }] } : {}),
      };
      const columns = fieldsFor(resolveDocument(ConfigDocument.of(config, root), installed));
      const resolved = resolveDocument(ConfigDocument.of({ ...config, data: { ...config.data, columns } }, root), installed);
      checkComposition(resolved, { services });
      const { terms } = await buildComposition(resolved, runFactsOf(resolved, { vocabularySize: 64, hiddenSize: 8 }), { services });
      expect(terms.length).to.be.greaterThan(0);
    });
  }
});
