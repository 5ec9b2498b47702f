import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { CORE_FOLDER } from "../../src/config/installation.js";
import { component, type Sandbox, softProject } from "../registry/sandbox.js";

const MAIN = join(CORE_FOLDER, "dist/src/cli/main.js");

describe("the command line", () => {
  let project: Sandbox;
  before(async () => {
    project = await softProject();
    project.write("good.yaml", "algorithm: soft\nmodel: { checkpoint: m }\ndata: { train: a.jsonl }\n");
    project.write("bad.yaml", "algorithm: soft\nmodel: { checkpoint: m }\ndata: { train: a.jsonl }\nsede: 1\n");
    project.write("unfit.yaml", "algorithm: soft\nmodel: { checkpoint: m }\ndata: { train: a.jsonl }\nrewards: []\n");
    project.write("tab.yaml", "algorithm: soft\n\tmodel: x\n");
    project.write("twice.yaml", "seed: 1\nseed: 2\n");
    writeFileSync(join(project.folder, "latin.yaml"), Buffer.from("name: caf\u00e9\n", "latin1"));
    project.write("sft.yaml", "model: { checkpoint: m }\ndata: { train: a.jsonl }\nsft: {}\n");
  });
  after(() => project.remove());

  const proximal = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { cwd: project.folder, encoding: "utf8" });
    return { status, stdout, stderr };
  };

  it("is found by npm before anything is built, and says what to do then", () => {
    const { bin } = JSON.parse(readFileSync(join(CORE_FOLDER, "package.json"), "utf8")) as { bin: Record<string, string> };
    const file = join(CORE_FOLDER, bin.proximal!);
    expect(bin.proximal).to.not.contain("dist");
    const built = spawnSync(process.execPath, [file, "--version"], { encoding: "utf8" });
    expect([built.status, built.stdout]).to.deep.equal([0, proximal("--version").stdout]);
    const clone = join(project.folder, "clone/bin");
    mkdirSync(clone, { recursive: true });
    copyFileSync(file, join(clone, "proximal.mjs"));
    const empty = spawnSync(process.execPath, [join(clone, "proximal.mjs")], { encoding: "utf8" });
    expect([empty.status, empty.stderr]).to.deep.equal([1, "proximal is not built yet\n  hint:     npm run build\n"]);
  });

  const table: [args: string[], status: number, stream: "stdout" | "stderr", ...lines: string[]][] = [
    [["--help"], 0, "stdout", "proximal validate run.yaml", "plugins", "validate"],
    [["--version"], 0, "stdout", "0.1.0"],
    [["validate", "good.yaml"], 0, "stdout", "good.yaml is valid", "algorithm", "tauNeg 1.2", "bound: soft"],
    [["validate", "good.yaml", "--set", "trainer.steps=3", "-s", "gate.tauPos=9"], 0, "stdout", "tauPos 9"],
    [["validate", "sft.yaml"], 0, "stdout", "sft.yaml is valid"],
    [["validate", "bad.yaml"], 1, "stderr", 'bad.yaml:4 at sede: unknown key "sede"', 'did you mean "seed"?'],
    [["validate", "unfit.yaml"], 1, "stderr", 'reads the column "rewards", which nobody writes'],
    [["validate", "good.yaml", "--set", "seed=x"], 1, "stderr", "--set seed=x at seed"],
    [["validate", "missing.yaml"], 1, "stderr", "missing.yaml: there is no such file"],
    [["validate", "tab.yaml"], 1, "stderr", "tab.yaml:2: Tabs are not allowed as indentation", "given:    model: x", "indent with spaces"],
    [["validate", "twice.yaml"], 1, "stderr", "twice.yaml:2: a key stands twice in one section", "given:    seed: 2"],
    [["validate", "latin.yaml"], 1, "stderr", "latin.yaml: the text is not UTF-8"],
    [["generate", "nowhere", "1+1="], 1, "stderr", "nowhere: there is no such run or config"],
    [["validate"], 1, "stderr", "missing required argument 'config'"],
    [["valdate"], 1, "stderr", "Did you mean validate?"],
    [["plugins"], 0, "stdout", "@proximal/plugin-soft 1.2.3", "@proximal/core", "exact-match", "toy"],
    [["plugins", "core"], 0, "stdout", "@proximal/core", "ratioAnchor: policy that sampled"],
    [["plugins", "sotf"], 1, "stderr", 'no installed package is called "sotf"', 'did you mean "soft"?'],
    [["dashboard", "no-such-folder"], 1, "stderr", "no-such-folder: there is no such folder"],
    [["plot", "gate", "soft", "-o", "gate.png"], 1, "stderr", "a plot is written as SVG or HTML"],
    [["schema", "-o", "run.schema.json"], 0, "stdout", "yaml-language-server: $schema=run.schema.json"],
    [["schema", "-o", "run.schema.json/x.json"], 1, "stderr", "run.schema.json is no folder"],
    [["manifest", "node_modules/@proximal/plugin-soft", "--check"], 0, "stdout", "up to date"],
    [["manifest", "node_modules"], 1, "stderr", "package.json"],
  ];
  it("tells an algorithm that is not installed, and not what follows from that", () => {
    const { status, stderr } = proximal("validate", "good.yaml", "--set", "algorithm=sotf");
    expect(status).to.equal(1);
    expect(stderr).to.contain('did you mean "soft"?').and.not.contain("is named here");
  });

  for (const [args, status, stream, ...lines] of table) {
    it(`proximal ${args.join(" ")} exits with ${status}`, () => {
      const outcome = proximal(...args);
      expect(outcome.status, outcome.stderr).to.equal(status);
      for (const line of lines) expect(outcome[stream]).to.contain(line);
      expect(outcome.stderr).not.to.match(/\n\s+at /);
    });
  }

  it("prints manifests as JSON", () => {
    const manifests = JSON.parse(proximal("plugins", "--json").stdout) as { name: string }[];
    expect(manifests.map(({ name }) => name)).to.include.members(["@proximal/core", "@proximal/plugin-soft", "@proximal/toy"]);
  });

  it("prints a schema that names what is installed", () => {
    const schema = JSON.parse(proximal("schema").stdout) as { $defs: Record<string, unknown> };
    expect(schema.$defs).to.include.keys("gate-soft", "gate-clip", "engine-toy");
  });

  describe("with a hundred plugins installed", () => {
    before(() => {
      for (let i = 0; i < 100; i++) project.declare(`@proximal/plugin-n${i}`, { components: [component("gate", `n${i}`)] });
      project.write(
        "hook.mjs",
        'import { appendFileSync } from "node:fs";\nexport async function load(url, context, next) { appendFileSync(process.env.TRACE, url + " "); return next(url, context); }\n',
      );
      project.write("trace.mjs", 'import { register } from "node:module";\nregister("./hook.mjs", import.meta.url);\n');
    });

    for (const args of [["--help"], ["plugins"], ["validate", "good.yaml"]]) {
      it(`proximal ${args[0]} loads no plugin, no container and no TypeBox`, () => {
        const trace = project.write("trace.txt", "");
        const options = { cwd: project.folder, encoding: "utf8", env: { ...process.env, TRACE: trace } } as const;
        const { status, stderr } = spawnSync(process.execPath, ["--import", "./trace.mjs", MAIN, ...args], options);
        expect(status, stderr).to.equal(0);
        const loaded = readFileSync(trace, "utf8");
        expect(loaded).to.contain("/cli/main.js");
        for (const name of ["/plugin-", "/toy/", "/tsyringe/", "/typebox/", "/tensor/", "/builtin/"]) expect(loaded).not.to.contain(name);
      });
    }
  });
});
