#!/usr/bin/env node
import { readFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { setFlagsFromString } from "node:v8";
import { Command, InvalidArgumentError } from "commander";
import type { CompareFlags } from "./commands/compare.js";
import type { DashboardFlags } from "./commands/dashboard.js";
import type { DownloadFlags } from "./commands/download.js";
import type { DryRunFlags } from "./commands/dry-run.js";
import type { EvalFlags } from "./commands/eval.js";
import type { ExportFlags } from "./commands/export.js";
import type { GenerateFlags } from "./commands/inspect.js";
import type { NewPluginFlags } from "./commands/new.js";
import type { PlotFlags } from "./commands/plot.js";
import type { ReplayFlags } from "./commands/replay.js";
import type { StartFlags, ViewFlags } from "./commands/run.js";
import { reportFailure } from "./failure.js";

// Compiled code is kept between calls where Node can (from 22.1 on).
(nodeModule as { enableCompileCache?: () => void }).enableCompileCache?.();

// The small garbage of steps is taken back every hundred steps, not every five hundred: a long run's memory stays level.
setFlagsFromString("--heap-growing-percent=20");

const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as { version: string };

const collect = (value: string, before: readonly string[]): string[] => [...before, value];
const SET = ["-s, --set <path=value>", "override a value of the config, e.g. --set optimizer.learningRate=1e-5; repeatable"] as const;

const program = new Command("proximal")
  .description("Trains language models with policy optimization: reinforcement learning from rewards that can be checked.")
  .version(version, "-v, --version", "print the version")
  .helpOption("-h, --help", "print this help")
  .configureHelp({ showGlobalOptions: false })
  .showHelpAfterError("(proximal --help lists the commands)")
  .addHelpText(
    "after",
    `
Start here:
  $ proximal validate run.yaml    is this config right, and what would the run do?
  $ proximal train run.yaml       train; then: proximal eval runs/run, proximal generate runs/run
  $ proximal plugins              what can a config name?

A config names an algorithm, a model, data and rewards; every other value has a default.
Further methods: npm i @proximal/plugin-<name>`,
  );

const JSON_LINES = ["--json", "print every event as one JSON line"] as const;
const QUIET = ["--quiet", "print warnings and the result only"] as const;
const OUT = ["-o, --out <folder>", "run folder; the config's `output`, else runs/<name>, when left out"] as const;
const OVERWRITE = ["--overwrite", "replace a run that the folder holds"] as const;
const CHECKPOINT = ["--checkpoint <step>", "checkpoint to use, by its step, or `best`; the newest when left out"] as const;
const TARGET = "run folder or config";

const count = (value: string): number => {
  const parsed = Number(value);
  if (!Number.isInteger(parsed) || parsed < 1) throw new InvalidArgumentError("a whole number from 1 is accepted.");
  return parsed;
};
const checkpoint = (value: string): number | "best" => (value === "best" ? value : count(value));
const positive = (value: string): number => {
  const parsed = Number(value);
  if (!(parsed > 0)) throw new InvalidArgumentError("a number above 0 is accepted.");
  return parsed;
};

// A command's code is loaded when it runs: help and checks stay fast whatever is installed.
program
  .command("train <config>")
  .description("train a policy as a config says")
  .option(...SET, collect, [])
  .option(...OUT)
  .option(...OVERWRITE)
  .option(...JSON_LINES)
  .option(...QUIET)
  .action(async (file: string, options: StartFlags) => (await import("./commands/run.js")).startCommand("train", file, options));

program
  .command("resume <run>")
  .description("continue a run that was stopped or broke off, from its newest checkpoint")
  .option(...JSON_LINES)
  .option(...QUIET)
  .action(async (folder: string, options: ViewFlags) => (await import("./commands/run.js")).resumeCommand(folder, options));

program
  .command("sft <config>")
  .description("supervised training on the prompts and answers of a config's data")
  .option(...SET, collect, [])
  .option(...OUT)
  .option(...OVERWRITE)
  .option(...JSON_LINES)
  .option(...QUIET)
  .action(async (file: string, options: StartFlags) => (await import("./commands/run.js")).startCommand("sft", file, options));

program
  .command("eval")
  .argument("<target>", TARGET)
  .description("accuracy of a policy on held-out problems, with 95 % intervals")
  .option(...SET, collect, [])
  .option(...CHECKPOINT, checkpoint)
  .option("--data <file>", "data set to evaluate on, as in data.train; the config's held-out prompts when left out")
  .option("--limit <count>", "at most this many problems", count)
  .option("--samples <count>", "responses a problem, sampled, for pass@k and maj@k; as the config says when left out", count)
  .option("--greedy", "take the likeliest token; with --samples, both ways")
  .option("--before <target>", "compare with another run folder or config on the same problems")
  .option("--before-checkpoint <step>", "step of that run's checkpoint, or best", checkpoint)
  .option("-o, --out <file>", "write the result with every response as JSON")
  .option("--by <field>", "report by a field of the records, such as level")
  .option("--json", "print one JSON value")
  .action(async (target: string, options: EvalFlags) => (await import("./commands/eval.js")).evalCommand(target, options));

program
  .command("generate")
  .argument("<target>", TARGET)
  .argument("[prompts...]", "prompts; lines of the standard input when left out")
  .description("answer prompts with a policy")
  .option(...SET, collect, [])
  .option(...CHECKPOINT, checkpoint)
  .option("--samples <count>", "responses a prompt", count)
  .option("--greedy", "take the likeliest token instead of sampling")
  .option("--max-tokens <count>", "longest response", count)
  .option("--temperature <value>", "sampling temperature", positive)
  .option("--json", "print one JSON value a response")
  .action(async (target: string, prompts: string[], options: GenerateFlags) =>
    (await import("./commands/inspect.js")).generateCommand(target, prompts, options),
  );

program
  .command("download <model>")
  .description("bring a model from the Hugging Face Hub into a folder, e.g. HuggingFaceTB/SmolLM2-135M-Instruct")
  .option("-o, --out <folder>", "folder to write; models/<name> when left out")
  .option("--revision <name>", "branch, tag or commit; main when left out")
  .option("--file <name>", "this file only, such as one of several GGUF files; repeatable", collect, [])
  .addHelpText("after", "\nHF_ENDPOINT names another Hub, HF_TOKEN an access token.")
  .action(async (model: string, options: DownloadFlags) => (await import("./commands/download.js")).downloadCommand(model, options));

program
  .command("export")
  .argument("<target>", TARGET)
  .description("write a policy's model for use elsewhere")
  .requiredOption("-o, --out <folder>", "folder to write")
  .option(
    "--format <name>",
    "huggingface: config.json and model.safetensors; onnx: onnx/model.onnx as transformers.js reads it",
    "huggingface",
  )
  .option(...CHECKPOINT, count)
  .option(...SET, collect, [])
  .option("--overwrite", "write into a folder that is not empty")
  .action(async (target: string, options: ExportFlags) => (await import("./commands/export.js")).exportCommand(target, options));

program
  .command("compare")
  .description("train several algorithms on one task with the same seeds and budget, and tell how they differ")
  .requiredOption(
    "--algorithms <names>",
    "algorithms, or config files of which the method is taken, with commas; the first is the baseline",
  )
  .option("--task <name>", "a task of examples/tasks", "arithmetic")
  .option("--config <file>", "a config without an algorithm in place of a task")
  .option("--seeds <count>", "seeds 1 to this", count, 5)
  .option("--budget <tokens>", "response tokens that each run may draw, discarded ones included; the task's when left out", count)
  .option("--steps <count>", "steps of each run in place of a token budget; with --budget: at most these", count)
  .option("--target <accuracy>", "held-out accuracy whose cost in tokens is told", positive, 0.9)
  .option("--samples <count>", "responses a held-out problem for pass@k", count, 8)
  .option(...SET, collect, [])
  .option("-o, --out <folder>", "folder of the comparison; runs/compare-<task> when left out")
  .option("--overwrite", "start over instead of going on with what the folder holds")
  .option("--json", "print the result as one JSON value")
  .option(...QUIET)
  .action(async (options: CompareFlags) => (await import("./commands/compare.js")).compareCommand(options));

program
  .command("replay <run> <step>")
  .description("compute a step of a run again from its rollouts; --with and --set show what another loss would have made of them")
  .option("--with <name>", "algorithm, gate, objective or advantage estimator in place of the run's own")
  .option(...SET, collect, [])
  .option("--json", "print one JSON value")
  .action(async (folder: string, step: string, options: ReplayFlags) =>
    (await import("./commands/replay.js")).replayCommand(folder, count(step), options),
  );

program
  .command("report <run>")
  .description("write a run's report.html: curves, samples and config on one page that works offline")
  .action(async (folder: string) => (await import("./commands/report.js")).reportCommand(folder));

program
  .command("validate <config>")
  .description("check a config against the installed plugins, without loading a model")
  .option(...SET, collect, [])
  .action(async (file: string, options: { set: string[] }) => (await import("./commands/validate.js")).validateCommand(file, options));

program
  .command("dry-run <config>")
  .description("two small steps on a tiny random model: is everything read, does every reward and term count, what would the run take?")
  .option(...SET, collect, [])
  .option("--model", "on the configured model instead of a tiny one")
  .option("--json", "print one JSON value")
  .action(async (file: string, options: DryRunFlags) => (await import("./commands/dry-run.js")).dryRunCommand(file, options));

program
  .command("explain <config|algorithm>")
  .description("print the objective as it is executed, as equations")
  .option(...SET, collect, [])
  .action(async (target: string, options: { set: string[] }) => (await import("./commands/explain.js")).explainCommand(target, options));

program
  .command("dashboard [folder]")
  .description("show the runs in a folder as a local web page that follows them; the folder runs when left out")
  .option("-p, --port <port>", "port; 6340 or the next free one when left out", count)
  .option("--host <address>", "address to listen on; with any other than 127.0.0.1 the page asks for a token")
  .action(async (folder: string | undefined, options: DashboardFlags) =>
    (await import("./commands/dashboard.js")).dashboardCommand(folder, options),
  );

program
  .command("plot")
  .description("plot a component of the loss")
  .command("gate <names...>")
  .description("plot surrogate and derivative of gates against the ratio, e.g. proximal plot gate sapo clip:clipHigh=0.28")
  .option("-o, --out <file>", "write an .svg or .html file; the terminal when left out")
  .option("--ratio <low..high>", "ratios to show; around the gates' bounds when left out")
  .action(async (names: string[], options: PlotFlags) => (await import("./commands/plot.js")).plotGateCommand(names, options));

program
  .command("plugins [names...]")
  .description("list the installed plugins with paper, components, conventions and provenance")
  .option("--json", "print the manifests as JSON")
  .action(async (names: string[], options: { json?: boolean }) => (await import("./commands/plugins.js")).pluginsCommand(names, options));

program
  .command("schema")
  .description("print the JSON schema of configs, for completion and checks in an editor")
  .option("-o, --output <file>", "write it to a file")
  .action(async (options: { output?: string }) => (await import("./commands/schema.js")).schemaCommand(options));

program
  .command("new")
  .description("for plugin authors: begin something new")
  .command("plugin <name>")
  .description("a plugin package that builds, tests and runs as it is, with a component to rewrite")
  .requiredOption(
    "-c, --component <kind>",
    "what it begins with: gate, advantage, reward, sampler, regularizer, objective, environment, judge, embedder, watchdog or exporter",
  )
  .option("--title <text>", "title of the method")
  .option("--folder <folder>", "where; plugins/<name> in the repository of Proximal, <name> elsewhere")
  .action(async (name: string, options: NewPluginFlags) => (await import("./commands/new.js")).newPluginCommand(name, options));

program
  .command("check <package|folder>")
  .description("for plugin authors: check what a plugin's components promise, its vectors, manifest and README")
  .option("--full", "many more random batches, and every check under every option set")
  .option("--json", "print one JSON value")
  .action(async (target: string, options: { full?: boolean; json?: boolean }) =>
    (await import("./commands/check.js")).checkCommand(target, options),
  );

program
  .command("manifest [folder]")
  .description("for plugin authors: write manifest.json and the option schemas of a built plugin package")
  .option("--check", "only compare; exit 1 when a file is out of date")
  .action(async (folder: string | undefined, options: { check?: boolean }) =>
    (await import("./commands/manifest.js")).manifestCommand(folder ?? ".", options),
  );

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = reportFailure(error, (text) => console.error(text));
}
