import { expect } from "chai";
import { ProximalError } from "../../src/errors.js";
import { discover } from "../../src/registry/discover.js";
import { component, Sandbox } from "./sandbox.js";

describe("discovering packages", () => {
  let project: Sandbox;
  beforeEach(() => {
    project = new Sandbox();
  });
  afterEach(() => project.remove());

  const names = (...starts: string[]): string[] =>
    discover(starts.length > 0 ? starts : [project.folder]).packages.map(({ manifest }) => manifest.name);

  const failure = (plugins: string[] = []): string => {
    try {
      discover([project.folder], { plugins });
    } catch (error) {
      expect(error).instanceOf(ProximalError);
      return (error as ProximalError).describe();
    }
    throw new Error("nothing was wrong");
  };

  it("finds @proximal packages, proximal-plugin-* and what package.json depends on, and nothing else", () => {
    project.write("package.json", {
      name: "project",
      dependencies: { dep: "1" },
      devDependencies: { dev: "1" },
      peerDependencies: { peer: "1" },
    });
    for (const name of ["@proximal/plugin-a", "proximal-plugin-b", "@me/proximal-plugin-c", "dep", "dev", "peer", "stranger"])
      project.declare(name, {});
    project.write("node_modules/plain/package.json", { name: "plain", version: "1.0.0" });
    expect(names()).to.have.members([
      "@proximal/core",
      "@proximal/plugin-a",
      "proximal-plugin-b",
      "@me/proximal-plugin-c",
      "dep",
      "dev",
      "peer",
    ]);
  });

  it("walks up to the folders above", () => {
    project.declare("@proximal/plugin-a", {});
    project.write("deep/er/package.json", { name: "inner", dependencies: { dep: "1" } });
    project.declare("dep", {});
    expect(names(project.path("deep/er"))).to.have.members(["@proximal/core", "@proximal/plugin-a", "dep"]);
  });

  it("takes the nearest of several versions of a package", () => {
    project.declare("@proximal/plugin-a", { title: "far" });
    project.declare("@proximal/plugin-a", { title: "near" }, "deep/node_modules/@proximal/plugin-a");
    const found = discover([project.path("deep")]).packages.find(({ manifest }) => manifest.name === "@proximal/plugin-a");
    expect(found?.manifest.title).to.equal("near");
  });

  it("finds the package that is being written", () => {
    project.declare("my-plugin", {}, ".");
    expect(names()).to.include("my-plugin");
  });

  it("adds packages that are listed by name or folder", () => {
    project.declare("stranger", {});
    project.declare("local", {}, "somewhere/local");
    const found = discover([project.folder], { plugins: ["stranger", "./somewhere/local"] });
    expect(found.packages.map(({ manifest }) => manifest.name)).to.have.members(["@proximal/core", "stranger", "local"]);
  });

  it("loads no code", () => {
    project.declare("@proximal/plugin-a", { components: [component("gate", "a")] });
    project.write("node_modules/@proximal/plugin-a/index.js", "throw new Error('loaded')");
    expect(discover([project.folder]).component("gate", "a")?.package.manifest.name).to.equal("@proximal/plugin-a");
  });

  describe("names the packages when it refuses", () => {
    const cases: [name: string, arrange: () => string[] | undefined, ...lines: string[]][] = [
      [
        "two components of one point with the same id",
        () => {
          project.declare("@proximal/plugin-a", { components: [component("gate", "x")] });
          project.declare("@proximal/plugin-b", { components: [component("gate", "x")] });
          return undefined;
        },
        'gate "x" is claimed by two packages',
        "@proximal/plugin-a",
        "@proximal/plugin-b",
      ],
      [
        "a component that claims a builtin id",
        () => {
          project.declare("@proximal/plugin-a", { components: [component("gate", "clip")] });
          return undefined;
        },
        "@proximal/core",
        "@proximal/plugin-a",
      ],
      [
        "two algorithms with the same id",
        () => {
          const algorithms = { x: { description: "", compose: {} } };
          project.declare("@proximal/plugin-a", { algorithms });
          project.declare("@proximal/plugin-b", { algorithms });
          return undefined;
        },
        'algorithm "x" is claimed by two packages',
        "@proximal/plugin-a",
        "@proximal/plugin-b",
      ],
      [
        "another contract version, with both versions",
        () => {
          project.declare("@proximal/plugin-a", { contract: 2 });
          return undefined;
        },
        "@proximal/plugin-a is written for contract 2",
        "for contract 1",
      ],
      [
        "a manifest without a contract",
        () => {
          project.declare("@proximal/plugin-a", { contract: undefined });
          return undefined;
        },
        "@proximal/plugin-a is written for contract undefined",
      ],
      [
        "a manifest that is no JSON",
        () => {
          project.declare("@proximal/plugin-a", {});
          project.write("node_modules/@proximal/plugin-a/manifest.json", "{");
          return undefined;
        },
        "the manifest of @proximal/plugin-a cannot be read",
      ],
      [
        "a manifest that is missing",
        () => {
          project.write("node_modules/@proximal/plugin-a/package.json", {
            name: "@proximal/plugin-a",
            proximal: { manifest: "./manifest.json" },
          });
          return undefined;
        },
        "the manifest of @proximal/plugin-a cannot be read",
      ],
      [
        "a manifest of another shape, with the place in it",
        () => {
          project.declare("@proximal/plugin-a", { components: [{ ...component("gate", "x"), point: "gates" }] });
          return undefined;
        },
        "the manifest of @proximal/plugin-a is not valid",
        "components[0].point",
      ],
      [
        "a listed plugin that is not installed",
        () => ["proximal-plugin-x"],
        'the plugin "proximal-plugin-x" is not installed',
        "searched: node_modules in ",
        "npm i proximal-plugin-x",
      ],
      ["a listed folder that is none", () => ["./nowhere"], 'the plugin "./nowhere" is not installed', "nowhere"],
      [
        "a listed package that is no plugin",
        () => {
          project.write("node_modules/plain/package.json", { name: "plain", version: "1.0.0" });
          return ["plain"];
        },
        'the package "plain" is no Proximal plugin',
      ],
    ];
    for (const [name, arrange, ...lines] of cases) {
      it(name, () => {
        const told = failure(arrange());
        for (const line of lines) expect(told).to.contain(line);
      });
    }
  });

  it("lets two points share an id", () => {
    project.declare("@proximal/plugin-a", { components: [component("gate", "x"), component("advantage", "x")] });
    expect(
      discover([project.folder])
        .componentsOf()
        .filter(({ component: { id } }) => id === "x"),
    ).to.have.length(2);
  });
});
