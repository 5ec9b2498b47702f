import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { CORE_FOLDER, readJson } from "../../config/installation.js";
import { didYouMean } from "../../config/nearest.js";
import { UsageError } from "../../errors.js";
import type { ExtensionPoint } from "../../extension/names.js";
import { makeFolder } from "../../folder.js";
import { discover, upwards } from "../../registry/discover.js";

/** Components that a plugin can begin with. */
const TEMPLATES = [
  "gate",
  "advantage",
  "reward",
  "sampler",
  "regularizer",
  "objective",
  "environment",
  "judge",
  "embedder",
  "watchdog",
  "exporter",
] as const satisfies readonly ExtensionPoint[];
type TemplateName = (typeof TEMPLATES)[number];

/** What a package of its own needs to be built and tested; the same as in this repository. */
const TOOLS = { "@types/mocha": "^10.0.10", "@types/node": "^20.19.43", mocha: "^12.0.3", typescript: "^7.0.2" } as const;

export interface NewPluginFlags {
  component: string;
  title?: string;
  folder?: string;
}

/** `proximal new plugin`: a package that builds, tests and runs as it is, with a real component to rewrite. */
export function newPluginCommand(slug: string, flags: NewPluginFlags): void {
  const { kind, folder, inRepository, files } = planPlugin(slug, flags);
  for (const [file, text] of files) {
    makeFolder(dirname(file));
    writeFileSync(file, text);
    console.log(`written: ${relative(process.cwd(), file)}`);
  }
  const next = inRepository
    ? [
        "npm run workspace && npm i && npm run build",
        `npx mocha --no-config 'plugins/${slug}/dist/test/**/*.test.js'`,
        `npx proximal train examples/algorithms/${slug}.yaml`,
      ]
    : [`cd ${relative(process.cwd(), folder) || "."} && npm i`, "npm test", "npm start"];
  console.log(
    [
      "",
      "Now:",
      ...next.map((command) => `  ${command}`),
      "",
      `Then rewrite src/${kind}.ts, ${files.has(resolve(folder, `vectors/${slug}.json`)) ? "its cases in vectors/" : "its examples in src/conformance.ts"} and the README.`,
    ].join("\n"),
  );
}

interface Plan {
  kind: TemplateName;
  folder: string;
  inRepository: boolean;
  /** Text by absolute path. */
  files: ReadonlyMap<string, string>;
}

/** The files of a new plugin. Errors: `UsageError` for a name or a component that cannot be, or a folder that holds something. */
function planPlugin(slug: string, { component, title = titleOf(slug), folder: given }: NewPluginFlags, cwd = process.cwd()): Plan {
  const kind = TEMPLATES.find((name) => name === component);
  if (kind === undefined) {
    throw new UsageError(`there is no template for the component "${component}"`, {
      accepted: TEMPLATES,
      hint: didYouMean(component, TEMPLATES),
    });
  }
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(slug)) {
    throw new UsageError("this cannot be the name of a plugin", {
      given: slug,
      accepted: "lower-case letters, digits and single hyphens, such as my-gate",
    });
  }
  const inRepository = given === undefined && isRepository(cwd);
  const folder = resolve(cwd, given ?? (inRepository ? join("plugins", slug) : slug));
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new UsageError("this folder is not empty", { file: folder, hint: "choose another name, or --folder" });
  refuseTaken(kind, slug, cwd);

  const name = inRepository ? `@proximal/plugin-${slug}` : `proximal-plugin-${slug}`;
  const fill = (text: string): string =>
    text.replaceAll("my-slug", slug).replaceAll("MySlug", classOf(slug)).replaceAll("My title", title).replaceAll("my-package", name);
  const template = (path: string): string => fill(readFileSync(join(CORE_FOLDER, "assets", "plugin", path), "utf8"));
  const files = new Map<string, string>();
  const write = (path: string, text: string) => files.set(resolve(folder, path), text);
  write("package.json", json(inRepository ? repositoryPackage(name, title) : ownPackage(name, title, localSpecs(cwd, folder))));
  write("tsconfig.json", json(inRepository ? REPOSITORY_TSCONFIG : OWN_TSCONFIG));
  const parts = readdirSync(join(CORE_FOLDER, "assets", "plugin", kind));
  for (const part of parts.filter((name) => name.endsWith(".ts"))) write(`src/${part}`, template(`${kind}/${part}`));
  write(`test/${slug}.test.ts`, template("test.ts"));
  if (parts.includes("vectors.json")) write(`vectors/${slug}.json`, template(`${kind}/vectors.json`));
  write("README.md", template(`${kind}/README.md`));
  const config = (text: string): string =>
    fill(
      text
        .replace("__method__", BESIDE[kind] ?? "algorithm: my-slug")
        .replace("__maxTokens__", kind === "environment" ? "8" : inRepository ? "6" : "3")
        .replace("__rewards__", ["reward", "judge", "embedder"].includes(kind) ? "" : "\nrewards:\n  - use: exact-match\n"),
    );
  if (inRepository) files.set(resolve(cwd, `examples/algorithms/${slug}.yaml`), config(EXAMPLE));
  else {
    // ONNX Runtime for the CPU is in its package: without this its install script fetches the libraries for CUDA.
    write(".npmrc", "onnxruntime-node-install=skip\n");
    write(".gitignore", "node_modules\ndist\nruns\n");
    write(".mocharc.json", json({ spec: "dist/test/**/*.test.js", timeout: 60_000 }));
    write("run.yaml", config(readFileSync(join(CORE_FOLDER, "assets", "plugin", "run", "run.yaml"), "utf8")));
    write("sums.jsonl", template("run/sums.jsonl"));
    for (const file of ["tokenizer.json", "tokenizer_config.json"]) write(`tokenizer/${file}`, template(`run/tokenizer/${file}`));
  }
  return { kind, folder, inRepository, files };
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** my-gate → MyGate */
const classOf = (slug: string): string =>
  slug
    .split("-")
    .map((word) => word[0]!.toUpperCase() + word.slice(1))
    .join("");

/** my-gate → My gate */
const titleOf = (slug: string): string => slug[0]!.toUpperCase() + slug.slice(1).replaceAll("-", " ");

/** The repository of Proximal itself, where plugins are workspaces. */
function isRepository(folder: string): boolean {
  try {
    const { workspaces = [] } = readJson(join(folder, "package.json")) as { workspaces?: string[] };
    return workspaces.includes("plugins/*") && existsSync(join(folder, "core", "package.json"));
  } catch {
    return false;
  }
}

/** A name that an installed package uses for the same point, or for an algorithm, would be claimed twice. */
function refuseTaken(kind: TemplateName, slug: string, cwd: string): void {
  const owner = discover([cwd]).packages.find(
    ({ manifest }) =>
      manifest.slug === slug || slug in manifest.algorithms || manifest.components.some(({ point, id }) => point === kind && id === slug),
  );
  if (owner === undefined) return;
  throw new UsageError(`the name "${slug}" is taken by ${owner.manifest.name}`, { hint: "choose another name" });
}

const { version } = readJson(join(CORE_FOLDER, "package.json")) as { version: string };
const entry = (file: string) => ({ types: `./dist/src/${file}.d.ts`, default: `./dist/src/${file}.js` });

const common = (name: string, title: string) => ({
  name,
  version: "0.1.0",
  description: title,
  license: "MIT",
  type: "module",
  engines: { node: ">=20" },
  exports: { ".": entry("index"), "./conformance": entry("conformance") },
  files: ["dist/src", "manifest.json", "schemas", "vectors"],
  proximal: { manifest: "./manifest.json" },
  peerDependencies: { "@proximal/core": version },
});

const repositoryPackage = (name: string, title: string) => ({ ...common(name, title), devDependencies: { "@proximal/testkit": version } });

/**
 * How the project in `cwd` gets its packages of Proximal where these are tarballs or folders, as seen from `folder`: what is not
 * published cannot be installed by its version.
 */
function localSpecs(cwd: string, folder: string): Record<string, string> {
  const home = upwards(cwd).find((above) => existsSync(join(above, "package.json")));
  if (home === undefined) return {};
  const { dependencies = {}, devDependencies = {} } = readJson(join(home, "package.json")) as Record<string, Record<string, string>>;
  const local = Object.entries({ ...devDependencies, ...dependencies }).filter(
    ([name, spec]) => name.startsWith("@proximal/") && spec.startsWith("file:"),
  );
  return Object.fromEntries(local.map(([name, spec]) => [name, `file:${relative(folder, resolve(home, spec.slice("file:".length)))}`]));
}

const ownPackage = (name: string, title: string, local: Readonly<Record<string, string>>) => ({
  ...common(name, title),
  scripts: {
    build: "tsc && proximal manifest",
    test: "npm run build && mocha",
    check: "npm run build && proximal check . --full",
    start: "npm run build && proximal train run.yaml --overwrite",
  },
  devDependencies: { "@proximal/core": version, "@proximal/onnx": version, "@proximal/testkit": version, ...local, ...TOOLS },
});

const REPOSITORY_TSCONFIG = {
  extends: "../../tsconfig.base.json",
  compilerOptions: { rootDir: ".", outDir: "dist" },
  include: ["src", "test"],
  references: [{ path: "../../core" }, { path: "../../adapters/testkit" }],
};

const OWN_TSCONFIG = {
  compilerOptions: {
    target: "es2022",
    lib: ["es2023"],
    module: "nodenext",
    types: ["node", "mocha"],
    strict: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
    experimentalDecorators: true,
    declaration: true,
    sourceMap: true,
    skipLibCheck: true,
    rootDir: ".",
    outDir: "dist",
  },
  include: ["src", "test"],
};

const PARTS = "sampler: { use: independent }\nadvantage: { use: group-normalized }\ngate: { use: clip }\n";
/** Components that are no part of an algorithm, in a config of one. */
const BESIDE: Readonly<Partial<Record<TemplateName, string>>> = {
  exporter: `${PARTS}exporters:\n  - use: my-slug`,
  watchdog: `${PARTS}watchdogs:\n  - { use: my-slug, window: 3 }`,
};

/** A config on the repository's default task. */
const EXAMPLE = `# My title, on the default task; two passes over each batch, so that a gate acts.
# proximal train examples/algorithms/my-slug.yaml
__method__

model:
  checkpoint: ../arithmetic/model

data:
  train: ../arithmetic/data/level1.train.jsonl
  eval: ../arithmetic/data/level1.eval.jsonl

sampling:
  maxTokens: __maxTokens__
__rewards__
optimizer:
  learningRate: 3.0e-4

trainer:
  steps: 80
  epochs: 2
`;
