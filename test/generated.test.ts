import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, "utf8");
const run = (...given: string[]) => execFileSync(process.execPath, given, { cwd: root, encoding: "utf8" });

describe("what is generated", () => {
  it("agrees with the code: manifests, option schemas and published schemas", () => {
    expect(() => run("scripts/manifests.mjs", "--check")).not.to.throw();
  });

  it("agrees with the manifests: the catalogue of plugins", () => {
    expect(() => run("scripts/catalogue.mjs", "--check")).not.to.throw();
  });

  it("agrees with the gates: their plots, and the READMEs that show them", () => {
    expect(() => run("scripts/plots.mjs", "--check")).not.to.throw();
  });

  it("shows in the README the library example and the gate that the tests run", () => {
    const readme = read("README.md");
    expect(readme).to.include(read("examples/library.ts").trimEnd());
    expect(readme).to.include(read("plugins/sapo/src/gate.ts").trimEnd());
  });

  it("has a library example of at most 25 lines", () => {
    expect(read("examples/library.ts").trimEnd().split("\n").length).to.be.at.most(25);
  });
});
