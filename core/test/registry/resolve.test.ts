import { expect } from "chai";
import { InvalidConfigError, resolveConfig } from "../../src/index.js";
import { Sandbox } from "./sandbox.js";

const CONFIG = { algorithm: "soft", model: {}, data: { train: "x.jsonl" }, rewards: [{ use: "exact-match" }] };

describe("resolveConfig", () => {
  let project: Sandbox;
  let elsewhere: Sandbox;
  beforeEach(() => {
    project = new Sandbox();
    elsewhere = new Sandbox();
  });
  afterEach(() => {
    project.remove();
    elsewhere.remove();
  });

  const engine = (place: Sandbox) => place.declare("@proximal/onnx", { adapters: [ENGINE] });
  const method = (place: Sandbox, title: string) =>
    place.declare("@proximal/plugin-soft", {
      title,
      algorithms: { soft: { description: title, compose: { sampler: { use: "independent" }, gate: { use: "clip" } } } },
    });
  const titleFound = (cwd: Sandbox, packages: readonly string[] = []) =>
    resolveConfig(elsewhere.write("config.json", CONFIG), { cwd: cwd.folder, packages }).algorithm?.package.manifest.title;

  it("finds the packages of the folder in which the command runs for a config that lies elsewhere", () => {
    engine(project);
    method(project, "here");
    expect(titleFound(project)).to.equal("here");
  });

  it("takes the packages beside the config before those of the folder in which the command runs", () => {
    engine(project);
    method(project, "here");
    method(elsewhere, "beside the config");
    expect(titleFound(project)).to.equal("beside the config");
  });

  it("finds the packages of further folders", () => {
    engine(project);
    method(project, "further");
    expect(titleFound(elsewhere, [project.folder])).to.equal("further");
  });

  it("says which folders it searched", () => {
    engine(project);
    expect(() => titleFound(project))
      .to.throw(InvalidConfigError)
      .satisfies((error: InvalidConfigError) =>
        error.describe().includes(`searched: node_modules in ${elsewhere.folder}, in ${project.folder} and in the folders above`),
      );
  });
});

const ENGINE = {
  id: "onnx",
  description: "",
  module: "./index.js",
  modelSchema: "./schemas/none.schema.json",
  engineSchema: "./schemas/none.schema.json",
  provides: [],
};
