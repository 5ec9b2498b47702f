import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { requireWritable } from "../src/folder.js";
import { makeFolder, type ProximalError, RunFolder, UsageError, writeOut } from "../src/index.js";
import { temporaryFolder } from "./doubles/runs.js";

describe("a folder that is written to", () => {
  let root: string;
  beforeEach(() => {
    root = temporaryFolder();
    writeFileSync(join(root, "file"), "mine");
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const told = (act: () => void): string => {
    try {
      act();
    } catch (error) {
      expect(error).to.be.instanceOf(UsageError);
      return (error as ProximalError).describe();
    }
    return "";
  };

  it("is made with those above it, and taken as it is where it is there", () => {
    const folder = join(root, "a/b/c");
    for (let time = 0; time < 2; time++) makeFolder(folder);
    expect(existsSync(folder)).to.equal(true);
    symlinkSync(folder, join(root, "link"));
    makeFolder(join(root, "link/d"));
    expect(existsSync(join(folder, "d"))).to.equal(true);
  });

  const origin = { kind: "train", folder: ".", config: {} } as const;
  const inTheWay: [what: string, act: (path: string) => void][] = [
    ["makeFolder", makeFolder],
    ["requireWritable", requireWritable],
    ["a check of a run's folder", (path) => RunFolder.check(path)],
    ["a new run", (path) => RunFolder.create(path, origin, { overwrite: true })],
    ["a result", (path) => writeOut(join(path, "result.json"), "{}")],
  ];
  for (const [what, act] of inTheWay) {
    for (const path of ["file", "file/run", "file/a/b"]) {
      it(`is refused by ${what} where a file is in the way: ${path}`, () => {
        expect(told(() => act(join(root, path)))).to.include(`${join(root, "file")} is no folder`);
        expect(readFileSync(join(root, "file"), "utf8")).to.equal("mine");
      });
    }
  }

  it("is refused where a link points nowhere", () => {
    symlinkSync(join(root, "nowhere"), join(root, "link"));
    expect(told(() => makeFolder(join(root, "link/run")))).to.include("link is no folder");
  });

  it("leaves nothing behind where it is only looked at", () => {
    requireWritable(join(root, "a/b"));
    RunFolder.check(join(root, "a/b"));
    expect(existsSync(join(root, "a"))).to.equal(false);
  });

  it("is refused to a user who may not write it", function () {
    if (process.getuid === undefined || process.getuid() === 0) return this.skip();
    mkdirSync(join(root, "closed"), { mode: 0o555 });
    for (const act of [makeFolder, requireWritable]) expect(told(() => act(join(root, "closed/run")))).to.include("no permission to write");
  });

  it("is refused by a file system that takes no folders, without hanging", function () {
    if (process.platform !== "linux") return this.skip();
    for (const path of ["/proc/nope", "/proc/nope/run", "/proc/a/b/c"])
      expect(told(() => makeFolder(path))).to.include(`${path}: nothing can be written there`);
  });

  it("holds no result under the name of a folder", () => {
    expect(told(() => writeOut(root, "{}"))).to.include(`${root} is a folder`);
    writeOut(join(root, "a/result.json"), "{}");
    expect(readFileSync(join(root, "a/result.json"), "utf8")).to.equal("{}");
  });
});
