#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { reportFailure } from "./failure.js";

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
  $ proximal plugins              what can a config name?

A config names an algorithm, a model, data and rewards; every other value has a default.
Further methods: npm i @proximal/plugin-<name>`,
  );

// A command's code is loaded when it runs: help and checks stay fast whatever is installed.
program
  .command("validate <config>")
  .description("check a config against the installed plugins, without loading a model")
  .option(...SET, collect, [])
  .action(async (file: string, options: { set: string[] }) => (await import("./commands/validate.js")).validateCommand(file, options));

program
  .command("plugins")
  .description("list the installed plugins: algorithms, components, engines")
  .option("--json", "print the manifests as JSON")
  .action(async (options: { json?: boolean }) => (await import("./commands/plugins.js")).pluginsCommand(options));

program
  .command("schema")
  .description("print the JSON schema of configs, for completion and checks in an editor")
  .option("-o, --output <file>", "write it to a file")
  .action(async (options: { output?: string }) => (await import("./commands/schema.js")).schemaCommand(options));

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
