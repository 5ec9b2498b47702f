import { styleText } from "node:util";
import { type DryRunReport, dryRun } from "../../dry-run/index.js";
import { warningText } from "../../registry/describe.js";

export interface DryRunFlags {
  set: readonly string[];
  model?: boolean;
  json?: boolean;
}

/** `proximal dry-run`: exit status 1 when something is wrong. */
export async function dryRunCommand(file: string, { set, model, json }: DryRunFlags): Promise<void> {
  const report = await dryRun(file, { set, model });
  const { config: _config, ...rest } = report;
  if (json) console.log(JSON.stringify({ file, ...rest }, null, 2));
  else console.log(lines(file, report).join("\n"));
  if (report.problems.length > 0) process.exitCode = 1;
}

type Style = Parameters<typeof styleText>[0];
const paint = (style: Style, text: string): string =>
  process.stdout.isTTY && process.env.NO_COLOR === undefined ? styleText(style, text) : text;

const number = (x: number): string =>
  x === 0 ? "0" : Math.abs(x) >= 1e-3 && Math.abs(x) < 1e4 ? String(Number(x.toPrecision(3))) : x.toExponential(1);

function lines(file: string, report: DryRunReport): string[] {
  const { config, warnings, shrunk, model, rewards, terms, trainedRows, sampledRows, unread, problems } = report;
  const fact = (name: string, text: string) => `  ${name.padEnd(12)}${text}`;
  const range = (what: string, r: { low: number; high: number } | null) =>
    r === null ? `no value for ${what}` : `${what} ${r.low === r.high ? number(r.low) : `${number(r.low)} … ${number(r.high)}`}`;
  return [
    `${file}: two small steps${shrunk.length > 0 ? ` (${shrunk.join(", ")})` : ""}`,
    fact("model", model),
    fact("rows", `${sampledRows} sampled, ${trainedRows} trained on; every second response is an accepted answer`),
    ...rewards.map(({ name, answers, samples }) =>
      fact("reward", `${name}: ${range("accepted answers", answers)}, ${range("samples", samples)}`),
    ),
    ...terms.map(({ name, gradient }) => fact("gradient", `${name}: norm ${number(gradient)} at the second step`)),
    ...(unread.options.length > 0 ? [fact("not read", `options ${unread.options.join(", ")}`)] : []),
    ...(unread.fields.length > 0 ? [fact("not read", `fields of the records: ${unread.fields.join(", ")}`)] : []),
    ...rowLines(report),
    ...estimateLines(report),
    ...warnings.map((warning) => fact("warning", warningText(warning))),
    ...problems.map((problem) => paint("red", fact("problem", problem))),
    problems.length === 0 ? `${config.name} works` : `${problems.length} problem${problems.length > 1 ? "s" : ""}`,
  ];
}

const visible = (text: string): string => JSON.stringify(text).slice(1, -1);

/** A row token by token: what is trained on, what is masked, what ends it. */
function rowLines({ example: { prompt, tokens, stopped, finish, advantage } }: DryRunReport): string[] {
  const isColoured = process.stdout.isTTY && process.env.NO_COLOR === undefined;
  // Tokens stand apart; in a terminal by colour, elsewhere by strokes, with what is not trained on in brackets.
  const shown = tokens.map(({ text, trained }) => {
    const word = visible(text);
    return isColoured ? paint(trained ? "green" : "gray", word) : trained ? word : `[${word}]`;
  });
  const count = tokens.filter(({ trained }) => trained).length;
  const end = stopped ? "ends with a stop token" : finish === "length" ? "cut at the length limit" : `ended by ${finish}`;
  const credit = advantage === null ? "" : `, advantage ${number(advantage)}`;
  return [
    `  ${"a row".padEnd(12)}${paint("dim", visible(prompt))}`,
    `  ${"".padEnd(12)}${shown.join(isColoured ? " " : "|")}`,
    `  ${"".padEnd(12)}${tokens.length} tokens, ${count} trained on${isColoured ? " (green)" : ""}, ${end}${credit}`,
  ];
}

function estimateLines({ estimate, config }: DryRunReport): string[] {
  if (estimate === null) return [];
  const { secondsPerStep, secondsInAll, bytes, parameters } = estimate;
  const time = (seconds: number) =>
    seconds < 90 ? `${number(seconds)} s` : seconds < 5400 ? `${number(seconds / 60)} min` : `${number(seconds / 3600)} h`;
  const counts = `${parameters.all.toLocaleString("en")} parameters${parameters.trained === parameters.all ? "" : `, ${parameters.trained.toLocaleString("en")} trained`}`;
  return [
    `  ${"estimate".padEnd(12)}${counts}: up to ${time(secondsPerStep)} a step, ${time(secondsInAll)} for ${config.trainer.steps} steps if every response has ${config.sampling.maxTokens} tokens`,
    `  ${"".padEnd(12)}memory ${number(bytes / 1e9)} GB for parameters, gradients, moments and frozen copies; activations of a micro-batch come on top`,
    `  ${"".padEnd(12)}an estimate from operation counts and the speed of a small model here, not a measurement of this run`,
  ];
}
