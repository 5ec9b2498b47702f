import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { resolveConfig } from "../../src/index.js";

describe("resolveConfig", () => {
  it("finds the packages of further folders for a config that lies elsewhere", () => {
    const folder = mkdtempSync(join(tmpdir(), "proximal-resolve-"));
    try {
      const file = join(folder, "config.json");
      writeFileSync(
        file,
        JSON.stringify({ algorithm: "grpo", model: { checkpoint: "x" }, data: { train: "x.jsonl" }, rewards: [{ use: "exact-match" }] }),
      );
      expect(resolveConfig(file, { cwd: folder, packages: [process.cwd()] }).gate?.options.clipLow).to.equal(0.2);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
