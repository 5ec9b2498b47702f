import { fileURLToPath } from "node:url";
import {
  buildComposition,
  ConfigDocument,
  checkComposition,
  compositionWarnings,
  discover,
  Installation,
  type InstalledPackage,
  resolveDocument,
  runFactsOf,
} from "@proximal/core";
import { expect } from "chai";
import { fieldsFor, readsTeacher } from "./fields.js";

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
      const first = resolveDocument(ConfigDocument.of(config, root), installed);
      const whole = {
        ...config,
        data: { ...config.data, columns: fieldsFor(first) },
        ...(readsTeacher(first) ? { teacher: config.model } : {}),
      };
      const resolved = resolveDocument(ConfigDocument.of(whole, root), installed);
      checkComposition(resolved, { services });
      expect(compositionWarnings(resolved)).to.deep.equal([]);
      const { terms } = await buildComposition(resolved, runFactsOf(resolved, { vocabularySize: 64, hiddenSize: 8 }), { services });
      expect(terms.length).to.be.greaterThan(0);
    });
  }
});
