import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const root = fileURLToPath(new URL("../..", import.meta.url));
const proximal = `${root}core/dist/src/cli/main.js`;
/** Checks at least, and golden vectors, of each kind. */
const kinds: readonly [kind: string, checks: number, vectors: number][] = [
  ["gate", 10, 2],
  ["advantage", 10, 2],
  ["reward", 10, 2],
  ["sampler", 8, 2],
  ["regularizer", 10, 2],
  ["objective", 10, 2],
  ["environment", 8, 0],
  ["judge", 15, 2],
  ["embedder", 15, 2],
  ["watchdog", 7, 0],
  ["exporter", 6, 0],
];
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

  for (const [kind, checks, vectors] of kinds) {
    it(`makes a package outside of this repository whose checks pass as it is: ${kind}`, () => {
      run(folder, proximal, "new", "plugin", `my-${kind}`, "--component", kind);
      const own = join(folder, `my-${kind}`);
      run(own, `${root}node_modules/typescript/bin/tsc`);
      run(own, proximal, "manifest");
      const report = JSON.parse(run(own, `${root}node_modules/mocha/bin/mocha.js`, "--reporter", "json"));
      expect(report.stats.failures).to.equal(0);
      expect(report.stats.passes).to.be.at.least(checks);
      expect(report.tests.filter(({ title }: { title: string }) => title.startsWith("reproduces"))).to.have.length(vectors);
    }).timeout(120_000);
  }

  it("costs at most 40 lines for a new clipping rule with its options, its schema and its test", () => {
    expect(lines("my-gate/src/gate.ts") + lines("my-gate/test/my-gate.test.ts")).to.be.at.most(40);
  });

  /** What a run of two steps leaves, by kind. */
  const traces: [kind: string, trace: (run: string) => unknown, expected: unknown][] = [
    ["gate", (run) => metricsOf(run).map((record) => typeof record["my-gate.outsideFraction"]), ["number", "number"]],
    ["environment", (run) => metricsOf(run).map((record) => record["my-environment.tries"]! >= 1), [true, true]],
    ["judge", (run) => metricsOf(run).map(({ reward }) => reward! >= 0 && reward! <= 1), [true, true]],
    ["embedder", (run) => metricsOf(run).map(({ reward }) => reward! > 0.1 && reward! <= 1), [true, true]],
    ["watchdog", (run) => metricsOf(run).length, 2],
    ["exporter", (run) => linesOf(join(run, "exports/my-exporter/steps.jsonl")).map(({ step }) => step), [1, 2]],
  ];
  const linesOf = (file: string) =>
    readFileSync(file, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, number>);
  const metricsOf = (run: string) => linesOf(join(run, "metrics.jsonl"));
  for (const [kind, trace, expected] of traces) {
    it(`trains with the ${kind} at once`, () => {
      run(join(folder, `my-${kind}`), proximal, "train", "run.yaml", "--quiet", "--set", "trainer.steps=2");
      expect(trace(join(folder, `my-${kind}/runs/example`))).to.deep.equal(expected);
    }).timeout(120_000);
  }

  const refused: [args: string[], why: RegExp][] = [
    [["x", "--component", "gat"], /did you mean "gate"/],
    [["clip", "--component", "gate"], /"clip" is taken by @proximal\/core/],
    [["My_Gate", "--component", "gate"], /lower-case letters/],
    [["my-gate", "--component", "gate"], /is not empty/],
  ];
  for (const [args, why] of refused) {
    it(`refuses ${args.join(" ")}`, () => expect(() => run(folder, proximal, "new", "plugin", ...args)).to.throw(why));
  }

  it("takes over tarballs from which the project got its packages", () => {
    writeFileSync(
      join(folder, "package.json"),
      JSON.stringify({ dependencies: { "@proximal/core": "file:../tars/core.tgz", chai: "^6.0.0" } }),
    );
    run(folder, proximal, "new", "plugin", "from-tarballs", "--component", "gate");
    const { devDependencies } = JSON.parse(readFileSync(join(folder, "from-tarballs/package.json"), "utf8"));
    expect(devDependencies["@proximal/core"]).to.equal("file:../../tars/core.tgz");
    expect(devDependencies).not.to.have.property("chai");
  });

  it("uses the tools of this repository", () => {
    const { devDependencies } = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
    const made = JSON.parse(readFileSync(join(folder, "my-gate/package.json"), "utf8"));
    for (const tool of ["@types/mocha", "@types/node", "mocha", "typescript"])
      expect(made.devDependencies[tool]).to.equal(devDependencies[tool]);
  });
});
