import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Coverage {
  result: { url: string }[];
}

/** Files that a call of the command loads, ES modules and CommonJS ones, relative to the repository. */
function loadedBy(...given: string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), "proximal-answers-"));
  try {
    execFileSync(process.execPath, ["core/dist/src/cli/main.js", ...given], {
      cwd: root,
      env: { ...process.env, NODE_V8_COVERAGE: folder },
      stdio: "pipe",
    });
    const reports = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), "utf8")) as Coverage);
    return reports.flatMap(({ result }) =>
      result.flatMap(({ url }) => (url.startsWith("file:") ? [fileURLToPath(url).slice(root.length)] : [])),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Code of plugins, of engines and of the runtime. */
const OTHERS = /^(plugins|adapters)\/|^node_modules\/(@proximal|onnxruntime-)/;
const COMPILER = /^node_modules\/(ajv\/dist\/core|yaml\/)/;

describe("a command that only answers", () => {
  const cases: readonly [args: readonly string[], refused: readonly RegExp[]][] = [
    [["--help"], [OTHERS, COMPILER, /^core\/dist\/src\/(?!cli\/|errors)/]],
    [["plugins"], [OTHERS, COMPILER]],
    [["schema"], [OTHERS, COMPILER]],
    [["validate", "examples/quickstart.yaml"], [OTHERS]],
  ];
  for (const [args, refused] of cases) {
    it(`loads only what it needs, however many plugins are installed: ${args.join(" ")}`, () => {
      const files = loadedBy(...args);
      expect(files).to.include("core/dist/src/cli/main.js");
      expect(files.filter((file) => refused.some((pattern) => pattern.test(file)))).to.deep.equal([]);
    });
  }
});
