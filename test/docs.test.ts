import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { resolveConfig } from "@proximal/core";
import { expect } from "chai";
import { parseDocument } from "yaml";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const node = (cwd: string, ...given: string[]) => spawnSync(process.execPath, given, { cwd, encoding: "utf8", timeout: 60_000 });
const proximal = (cwd: string, ...given: string[]) => node(cwd, join(root, "core/dist/src/cli/main.js"), ...given);

const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
const blocks = (page: string, language: string) =>
  [...read(`docs/${page}`).matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, "gm"))].map((match) => match[1]!);

describe("the documentation", () => {
  it("prints in the tutorial what its gate prints", () => {
    const source = read("examples/leaky-clip.ts");
    expect(read("docs/first-gate.md")).to.include(source.trimEnd());
    expect(node(root, "examples/dist/leaky-clip.js").stdout.trim()).to.equal(/prints (.*)$/m.exec(source)![1]);
  });

  it("shows TypeScript that compiles", () => {
    const folder = mkdtempSync(join(root, "test/dist/blocks-"));
    try {
      // A block with an ellipsis is an excerpt.
      const files = pages.flatMap((page) => blocks(page, "ts").map((text, i) => ({ name: `${page}-${i}.ts`, text })));
      for (const { name, text } of files) if (!text.includes("…")) writeFileSync(join(folder, name), text);
      const compilerOptions = { noEmit: true, composite: false, incremental: false, noUnusedLocals: false, types: ["node"] };
      writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ extends: join(root, "tsconfig.base.json"), compilerOptions }));
      const { stdout } = node(folder, join(root, "node_modules/typescript/bin/tsc"), "-p", ".");
      expect(stdout).to.equal("");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  const whole = pages.flatMap((page) =>
    blocks(page, "yaml").flatMap((text) => {
      // Blocks with alternatives for one key are no configs.
      const document = parseDocument(text);
      const config = document.errors.length === 0 ? (document.toJS() as Record<string, unknown> | null) : null;
      return config !== null && ["algorithm", "model", "data"].every((key) => key in config) ? [{ page, config }] : [];
    }),
  );
  for (const { page, config } of whole) {
    it(`shows in ${page} a config that is accepted`, () => {
      expect(() => resolveConfig(config, { cwd: join(root, "examples") })).not.to.throw();
    });
  }

  it("shows whole configs in the pages on concepts and on TRL", () => {
    expect(whole.map(({ page }) => page)).to.include.members(["concepts.md", "from-trl.md"]);
  });

  it("shows a reward server that answers as the reward http asks", async () => {
    const [source] = blocks("runs.md", "js");
    const listens = "process.send(server.address().port)";
    const server = spawn(
      process.execPath,
      [
        "--input-type=module",
        "--eval",
        source!.replace("createServer(async", "const server = createServer(async").replace("listen(8080)", `listen(0, () => ${listens})`),
      ],
      { stdio: ["ignore", "inherit", "inherit", "ipc"] },
    );
    try {
      const port = await new Promise((done) => server.once("message", done));
      const items = [
        ["2", ["2"]],
        [" 2\n", ["2"]],
        ["3", ["2"]],
        ["3", []],
      ].map(([completion, golds]) => ({ prompt: "1+1=", completion, golds, truncated: false, fields: {} }));
      const body = JSON.stringify({ formatVersion: 1, step: 0, items });
      const answer = await fetch(`http://127.0.0.1:${port}/score`, { method: "POST", body });
      expect(await answer.json()).to.deep.equal({ rewards: [1, 1, 0, null] });
    } finally {
      server.kill();
    }
  });

  it("names commands that exist", () => {
    const known = new Set([...proximal(root, "--help").stdout.matchAll(/^ {2}([a-z-]+)/gm)].map((match) => match[1]));
    const named = [...pages.map((page) => `docs/${page}`), "README.md"].flatMap((page) =>
      [...read(page).matchAll(/\bproximal ([a-z][a-z-]+) (?=[A-Z./\w-])/g)].map((match) => ({ page, command: match[1]! })),
    );
    expect(named).to.not.deep.equal([]);
    expect(named.filter(({ command }) => !known.has(command))).to.deep.equal([]);
  });

  it("has no link to a file that is not there", () => {
    const broken = [...pages.map((page) => `docs/${page}`), "README.md", "CONTRIBUTING.md"].flatMap((page) =>
      [...read(page).matchAll(/\]\((?!https?:|#)([^)#\s<]+)(?=[)#])/g)].flatMap(([, link]) => {
        const target = join(root, page, "..", link!);
        try {
          readFileSync(target);
          return [];
        } catch (error) {
          return (error as NodeJS.ErrnoException).code === "EISDIR" ? [] : [`${page}: ${link}`];
        }
      }),
    );
    expect(broken).to.deep.equal([]);
  });
});

describe("the page on errors", () => {
  /** Stands in configs for a folder that exists when the tests run. */
  const FOLDER = "FOLDER";
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(root, "test/dist/errors-"));
    writeFileSync(join(folder, "data.jsonl"), '{"promt": "1+1=", "answer": "2"}\n');
  });
  after(() => rmSync(folder, { recursive: true }));

  const model = join(root, "examples/arithmetic/model");
  const train = join(root, "examples/arithmetic/data/level1.train.jsonl");
  const base = {
    algorithm: "grpo",
    model: { checkpoint: model },
    data: { train },
    rewards: [{ use: "exact-match" }],
    sampling: { maxTokens: 6 },
  };
  const mistakes: [fragment: string, config: Record<string, unknown>, command: string][] = [
    ["unknown key", { ...base, optimiser: {} }, "validate"],
    ["no installed package provides the", { ...base, algorithm: "gprpo" }, "validate"],
    ["which nobody writes", { ...base, gate: { use: "copo" } }, "validate"],
    ["the record has no prompt in the field", { ...base, data: { train: join(FOLDER, "data.jsonl") } }, "train"],
    ["the execution provider cuda is not available", { ...base, engine: { provider: "cuda" } }, "train"],
    ["the response may fill the whole context", { ...base, sampling: { maxTokens: 5000 } }, "train"],
  ];
  for (const [fragment, config, command] of mistakes) {
    it(`quotes what is printed: ${fragment}`, () => {
      expect(read("docs/errors.md")).to.include(`\`${fragment}`);
      const file = join(folder, "run.json");
      writeFileSync(file, JSON.stringify(config).replace(FOLDER, folder));
      const { status, stderr } = proximal(
        folder,
        command,
        file,
        ...(command === "train" ? ["--out", join(folder, "out"), "--overwrite"] : []),
      );
      expect(stderr).to.include(fragment);
      expect(stderr).to.not.match(/^ {4}at /m);
      expect(status).to.equal(1);
    });
  }
});
