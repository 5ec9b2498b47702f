// Packs every workspace and checks what a user would get: the form of each package (publint), its types (attw), and that the
// engine and one plugin, installed alone into an empty project, train the default task.
// npm run check:packages [-- --only core,adapters/onnx,plugins/sapo] [-- --skip-install]
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { problemKindInfo } from "@arethetypeswrong/core/problems";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const root = resolve(import.meta.dirname, "../..");
const { values: o } = parseArgs({ options: { only: { type: "string" }, "skip-install": { type: "boolean", default: false } } });
const folders = (parent) => readdirSync(join(root, parent)).map((name) => `${parent}/${name}`);
const all = ["core", ...folders("adapters"), ...folders("plugins")];
const wanted = o.only === undefined ? all : o.only.split(",");
const temporary = mkdtempSync(join(tmpdir(), "proximal-packages-"));
const readJson = (file) => JSON.parse(readFileSync(file, "utf8"));

/** Every package is a module for import alone: the forms in which old resolvers and `require` fail are no mistakes. */
const EXPECTED = new Set(["NoResolution", "CJSResolvesToESM", "InternalResolutionError"]);

/** What a user of one method installs. */
const ALONE = ["core", "adapters/onnx", "plugins/sapo"];

/** Tarballs of the given workspaces, all by one call of npm. */
function pack(given) {
  for (const folder of given) cpSync(join(root, "LICENSE"), join(root, folder, "LICENSE"));
  try {
    const args = ["pack", "--json", "--pack-destination", temporary, ...given.flatMap((folder) => ["-w", folder])];
    const options = { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 2 ** 28 };
    const reports = new Map(JSON.parse(execFileSync("npm", args, options)).map((report) => [report.name, report]));
    return given.map((folder) => {
      const { filename, files, size } = reports.get(readJson(join(root, folder, "package.json")).name);
      return { folder, tarball: join(temporary, basename(filename)), files: files.map(({ path }) => path), bytes: size };
    });
  } finally {
    for (const folder of given) rmSync(join(root, folder, "LICENSE"), { force: true });
  }
}

async function mistakesOf({ folder, tarball, files }) {
  const data = readFileSync(tarball);
  const form = await publint({ pack: { tarball: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) }, strict: true });
  const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(data)));
  const types = (analysis.problems ?? []).filter(
    ({ kind, resolutionKind }) => !EXPECTED.has(kind) && !/node10|node16-cjs/.test(resolutionKind ?? ""),
  );
  const missing = ["README.md", "LICENSE", "package.json"].filter((name) => !files.includes(name));
  return [
    ...form.messages.map((message) => formatMessage(message, form.pkg, { color: false })),
    ...types.map(
      (problem) => `types: ${problemKindInfo[problem.kind].title} (${problem.entrypoint ?? ""} ${problem.resolutionKind ?? ""})`,
    ),
    ...(analysis.types === false ? ["types: none"] : []),
    ...missing.map((name) => `${name} is not in the package`),
    ...(folder === "core" && !files.some((path) => path.startsWith("dist/checks/"))
      ? ["dist/checks is not in the package: build first"]
      : []),
    ...files.filter((path) => /(^|\/)test\/|\.test\.|tsbuildinfo/.test(path)).map((path) => `${path} is in the package`),
  ];
}

/** Installs tarballs into an empty project and runs the default task for a few steps. */
function trainAlone(packed) {
  const project = join(temporary, "project");
  cpSync(join(root, "examples/arithmetic"), join(project, "arithmetic"), { recursive: true });
  const config = readFileSync(join(root, "examples/quickstart.yaml"), "utf8").replace(/^algorithm: .*$/m, "algorithm: sapo");
  writeFileSync(join(project, "run.yaml"), config);
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "a-user", private: true, type: "module" }));
  cpSync(join(root, ".npmrc"), join(project, ".npmrc"));
  const run = (command, ...args) => execFileSync(command, args, { cwd: project, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  run("npm", "install", ...packed.map(({ tarball }) => tarball));
  const installed = readdirSync(join(project, "node_modules/@proximal")).sort();
  const given = packed.map(({ folder }) => basename(readJson(join(root, folder, "package.json")).name)).sort();
  if (installed.join() !== given.join()) throw new Error(`installed ${installed.join(", ")} instead of ${given.join(", ")}`);
  run("npx", "proximal", "train", "run.yaml", "--set", "trainer.steps=3", "--set", "evaluation.every=0");
  const runs = join(project, "runs");
  const summary = readJson(join(runs, readdirSync(runs)[0], "summary.json"));
  return { installed, summary };
}

let failed = 0;
try {
  const alone = o["skip-install"] ? [] : ALONE;
  const everything = pack([...new Set([...wanted, ...alone])]);
  const packed = everything.filter(({ folder }) => wanted.includes(folder));
  for (const one of packed) {
    const mistakes = await mistakesOf(one);
    if (mistakes.length > 0) failed++;
    if (mistakes.length > 0 || o.only !== undefined)
      console.log(`${one.folder.padEnd(36)} ${(one.bytes / 1024).toFixed(0).padStart(6)} kB  ${mistakes.length === 0 ? "ok" : ""}`);
    for (const mistake of mistakes) console.log(`    ${mistake}`);
  }
  console.log(`${packed.length - failed} of ${packed.length} packages are in order`);
  if (!o["skip-install"]) {
    const { installed, summary } = trainAlone(everything.filter(({ folder }) => alone.includes(folder)));
    console.log(`installed alone (${installed.join(", ")}): sapo trained ${summary.steps} steps`);
  }
} catch (error) {
  failed++;
  console.error(error.stderr ?? error.message);
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
