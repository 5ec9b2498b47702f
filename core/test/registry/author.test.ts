import { readFileSync } from "node:fs";
import { expect } from "chai";
import { ProximalError } from "../../src/errors.js";
import { generate, outdated, writeGenerated } from "../../src/registry/author.js";
import { Sandbox, SOFT_PLUGIN } from "./sandbox.js";

const component = (meta: string): string => `
import { definePlugin, rewardModel, Type } from "@proximal/core";
class Reward {}
rewardModel(${meta})(Reward);
export default definePlugin({ slug: "x", title: "", provenance: "", components: [Reward] });
`;

describe("generating manifest and schemas", () => {
  let project: Sandbox;
  beforeEach(() => {
    project = new Sandbox();
  });
  afterEach(() => project.remove());

  const at = "node_modules/@proximal/plugin-soft";
  const read = (file: string): unknown => JSON.parse(readFileSync(project.path(at, file), "utf8"));

  it("writes what the code declares", async () => {
    await project.install("@proximal/plugin-soft", SOFT_PLUGIN);
    expect(read("schemas/gate-soft.schema.json")).to.deep.equal({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      title: 'Options of the gate "soft"',
      type: "object",
      properties: {
        tauPos: { type: "number", default: 1, exclusiveMinimum: 0, description: "Temperature where A > 0" },
        tauNeg: { type: "number", default: 1.05, exclusiveMinimum: 0 },
        window: {
          type: "array",
          prefixItems: [{ type: "number" }, { type: "number", minimum: 0 }],
          items: false,
          minItems: 2,
          default: [0, 1],
        },
        shape: { default: "sigmoid", enum: ["sigmoid", "tanh"] },
      },
      additionalProperties: false,
    });
    const manifest = read("manifest.json") as {
      components: { id: string; reads: string[]; wraps: boolean; module: string }[];
      version: string;
    };
    expect(manifest.version).to.equal("1.2.3");
    expect(manifest.components[0]).to.deep.include({ id: "soft", reads: ["logp", "oldLogp", "advantages"], module: "./index.js" });
    expect(manifest.components[1]).to.deep.include({ id: "scaled", wraps: true });
  });

  it("gives the same bytes each time", async () => {
    await project.install("@proximal/plugin-soft", SOFT_PLUGIN);
    const [first, second] = [await generate(project.path(at)), await generate(project.path(at))];
    expect([...second]).to.deep.equal([...first]);
    expect(writeGenerated(project.path(at), second)).to.deep.equal([]);
  });

  it("tells what was changed, is missing or left over", async () => {
    await project.install("@proximal/plugin-soft", SOFT_PLUGIN);
    const files = await generate(project.path(at));
    project.write(`${at}/schemas/gate-soft.schema.json`, "{}");
    project.write(`${at}/schemas/gate-old.schema.json`, "{}");
    expect(outdated(project.path(at), files)).to.have.members(["schemas/gate-soft.schema.json", "schemas/gate-old.schema.json"]);
    writeGenerated(project.path(at), files);
    expect(outdated(project.path(at), files)).to.deep.equal([]);
  });

  const mistakes: [name: string, code: string, ...lines: string[]][] = [
    ["a main module without a definition", "export default {};", "has no plugin as its default export", "definePlugin"],
    [
      "a component without a decorator",
      'import { definePlugin } from "@proximal/core";\nexport default definePlugin({ slug: "x", title: "", provenance: "", components: [class Bare {}] });',
      "class Bare is no component",
    ],
    [
      "an option that hides a key of its section",
      component('{ id: "r", options: Type.Object({ weight: Type.Number() }) }'),
      'reward "r": the option "weight"',
    ],
    [
      "a column without a type",
      component('{ id: "r", reads: ["completion"] }'),
      '"completion" is no standard column',
      'did you mean "completions"?',
    ],
  ];
  for (const [name, code, ...lines] of mistakes) {
    it(`refuses ${name}`, async () => {
      const error = await project.install("x", code).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).instanceOf(ProximalError);
      for (const line of lines) expect((error as ProximalError).describe()).to.contain(line);
    });
  }

  it("refuses a package that is not built", async () => {
    project.write("x/package.json", { name: "x", version: "1.0.0", exports: "./dist/index.js" });
    const error = await generate(project.path("x")).catch((reason: unknown) => reason);
    expect((error as ProximalError).describe()).to.contain("x is not built");
  });
});
