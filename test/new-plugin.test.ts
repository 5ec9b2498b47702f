import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const root = fileURLToPath(new URL("../..", import.meta.url));
const proximal = `${root}core/dist/src/cli/main.js`;
const kinds = ["gate", "advantage", "reward", "sampler", "regularizer", "objective"];
/** What `npm i` would put there, for a package outside of this repository. */
const INSTALLED = ["@proximal", "@types", "typescript", "mocha", ".bin"];

describe("proximal new plugin", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "proximal-new-"));
    mkdirSync(join(folder, "node_modules"));
    for (const name of INSTALLED) symlinkSync(`${root}node_modules/${name}`, join(folder, "node_modules", name));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const run = (cwd: string, file: string, ...args: string[]) =>
    execFileSync(process.execPath, [file, ...args], { cwd, encoding: "utf8", stdio: "pipe" });
  const lines = (file: string) => readFileSync(join(folder, file), "utf8").trimEnd().split("\n").length;

  for (const kind of kinds) {
    it(`makes a ${kind} outside of this repository whose checks pass as it is`, () => {
      run(folder, proximal, "new", "plugin", `my-${kind}`, "--component", kind);
      const own = join(folder, `my-${kind}`);
      run(own, `${root}node_modules/typescript/bin/tsc`);
      run(own, proximal, "manifest");
      const report = JSON.parse(run(own, `${root}node_modules/mocha/bin/mocha.js`, "--reporter", "json"));
      expect(report.stats.failures).to.equal(0);
      expect(report.stats.passes).to.be.greaterThan(9);
      expect(report.tests.filter(({ title }: { title: string }) => title.startsWith("reproduces"))).to.have.length(2);
    }).timeout(120_000);
  }

  it("costs at most 40 lines for a new clipping rule with its options, its schema and its test", () => {
    expect(lines("my-gate/src/gate.ts") + lines("my-gate/test/my-gate.test.ts")).to.be.at.most(40);
  });

  it("trains at once", () => {
    run(join(folder, "my-gate"), proximal, "train", "run.yaml", "--quiet", "--set", "trainer.steps=2");
    const metrics = readFileSync(join(folder, "my-gate/runs/example/metrics.jsonl"), "utf8").trim().split("\n");
    expect(metrics.map((line) => JSON.parse(line)["my-gate.outsideFraction"]))
      .to.have.length(2)
      .and.not.include(undefined);
  }).timeout(120_000);

  const refused: [args: string[], why: RegExp][] = [
    [["x", "--component", "gat"], /did you mean "gate"/],
    [["clip", "--component", "gate"], /"clip" is taken by @proximal\/core/],
    [["My_Gate", "--component", "gate"], /lower-case letters/],
    [["my-gate", "--component", "gate"], /is not empty/],
  ];
  for (const [args, why] of refused) {
    it(`refuses ${args.join(" ")}`, () => expect(() => run(folder, proximal, "new", "plugin", ...args)).to.throw(why));
  }

  it("uses the tools of this repository", () => {
    const { devDependencies } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
    const made = JSON.parse(readFileSync(join(folder, "my-gate/package.json"), "utf8"));
    for (const tool of ["@types/mocha", "@types/node", "mocha", "typescript"])
      expect(made.devDependencies[tool]).to.equal(devDependencies[tool]);
  });
});
