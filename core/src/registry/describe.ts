import type { ResolvedComponent } from "../config/component.js";
import type { InstalledPackage } from "../config/installation.js";
import type { ResolvedConfig } from "../config/resolve.js";
import { partsOf } from "./columns.js";
import { samplingNotes } from "./sampling.js";
import { type CompositionWarning, compositionWarnings } from "./warnings.js";

const packageName = ({ manifest }: InstalledPackage): string => `${manifest.name} ${manifest.version}`;

/** Characters of a text that a header shows. */
const LONGEST_WORD = 100;

/** 1e-6, not 0.000001 */
function word(value: unknown): string {
  if (typeof value === "string") return value.length > LONGEST_WORD ? `${value.slice(0, LONGEST_WORD)}…` : value;
  if (typeof value === "number" && value !== 0 && Math.abs(value) < 1e-3) return value.toExponential();
  return JSON.stringify(value);
}

/** `clipLow 0.2, clipHigh 0.28` */
const values = (options: Readonly<Record<string, unknown>>): string =>
  Object.entries(options)
    .map(([key, value]) => `${key} ${word(value)}`)
    .join(", ");

function describePart({ point, id, options, coefficient, weight, origin, episode, component }: ResolvedComponent): string[] {
  const factor = point === "reward" ? weight : coefficient;
  const text = values({ ...episode, ...options });
  const lead = `  ${point.padEnd(12)}${factor === 1 ? "" : `${factor} × `}${id}`;
  const conventions = Object.entries(component.conventions).map(([name, choice]) => `  ${"".padEnd(14)}${name}: ${choice}`);
  return [`${lead}  (${origin})${text && `: ${text}`}`, ...conventions];
}

/** The watchdogs by what follows when they bark. */
function describeWatchdogs({ watchdogs }: ResolvedConfig): string[] {
  const actions = [...new Set(watchdogs.map(({ response }) => response!.action))];
  return actions.map((action, i) => {
    const names = watchdogs.filter(({ response }) => response!.action === action).map(({ name }) => name);
    return `  ${(i === 0 ? "watchdogs" : "").padEnd(12)}${action}: ${names.join(", ")}`;
  });
}

/** `gate: what is known (try: what to do)` */
export const warningText = ({ path, message, hint }: CompositionWarning): string => `${path}: ${message} (try ${hint})`;

/** What a run will do, in lines for its header: every part with its options, where it comes from, and its conventions. */
export function describeRun(config: ResolvedConfig): string[] {
  const { algorithm, adapter, trainer, sampling, data } = config;
  return [
    `  ${"run".padEnd(12)}${config.name}, seed ${config.seed}`,
    ...(algorithm === undefined
      ? []
      : [`  ${"algorithm".padEnd(12)}${algorithm.id}  (${packageName(algorithm.package)}): ${algorithm.algorithm.description}`]),
    `  ${"engine".padEnd(12)}${adapter.adapter.id}  (${packageName(adapter.package)})${values(config.engine) && `: ${values(config.engine)}`}`,
    `  ${"model".padEnd(12)}${values(config.model)}`,
    ...(config.teacher === undefined ? [] : [`  ${"teacher".padEnd(12)}${values(config.teacher)}`]),
    `  ${"data".padEnd(12)}${data.train}`,
    ...partsOf(config).flatMap(describePart),
    ...config.exporters.flatMap(describePart),
    `  ${"aggregation".padEnd(12)}${typeof trainer.aggregation === "string" ? trainer.aggregation : values({ ...trainer.aggregation })}`,
    `  ${"sampling".padEnd(12)}${values({ ...sampling })}`,
    ...samplingNotes(config).map((note) => `  ${"".padEnd(14)}${note}`),
    `  ${"optimizer".padEnd(12)}${values({ ...config.optimizer })}`,
    ...describeWatchdogs(config),
    `  ${"output".padEnd(12)}${config.output}`,
    ...compositionWarnings(config).map((warning) => `  ${"warning".padEnd(12)}${warningText(warning)}`),
  ];
}
