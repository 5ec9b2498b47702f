// Writes what the checks of a plugin came to: effect.json and a section of its README.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";

const BEGIN = "<!-- effect: written by npm run effect -->";
const END = "<!-- /effect -->";

const number = (value) => {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  return size === 0
    ? "0"
    : size >= 1000
      ? Math.round(value).toLocaleString("en")
      : size < 1e-3
        ? value.toExponential(1)
        : String(Number(value.toPrecision(3)));
};
const signed = (value) => (value > 0 ? `+${number(value)}` : number(value));
const plusMinus = ({ mean, interval }) => `${number(mean)}${interval === null ? "" : ` ± ${number((interval[1] - interval[0]) / 2)}`}`;
const cell = (text) => String(text).replaceAll("|", "\\|");
const flow = (value) => stringify(value, { collectionStyle: "flow", lineWidth: 0, flowCollectionPadding: true }).trim();

const WORDS = { shows: "**yes**", "does not show": "**no**", opposite: "**no: the opposite**" };

function row(check) {
  const range = check.difference?.interval;
  const difference =
    check.kind === "fact"
      ? check.baseline === null
        ? "–"
        : signed(check.method - check.baseline)
      : `${signed(check.difference.mean)}${range ? ` [${signed(range[0])}, ${signed(range[1])}]` : ""}`;
  const [method, baseline] =
    check.kind === "fact"
      ? [number(check.method), number(check.baseline)]
      : [plusMinus(check.means.method), plusMinus(check.means.baseline)];
  return `| ${[check.claim, check.measure, method, baseline, difference, WORDS[check.verdict]].map(cell).join(" | ")} |`;
}

function setupLine(check, index) {
  const where = check.kind === "fact" ? "a made-up batch, computed exactly" : `\`${check.setup.task}\`, ${check.seeds} seeds`;
  const sides =
    check.kind === "fact"
      ? ""
      : `; method \`${flow(check.setup.method)}\`, baseline \`${flow(check.setup.baseline)}\`${Object.keys(check.setup.run).length === 0 ? "" : `, both \`${flow(check.setup.run)}\``}`;
  return `${index + 1}. ${where}${sides}.${check.note === undefined ? "" : ` ${check.note}`}`;
}

function section(slug, { checks, unchecked }) {
  const table =
    checks.length === 0
      ? []
      : [
          "| claim | measure | method | baseline | difference [95 %] | shows |",
          "| --- | --- | --- | --- | --- | --- |",
          ...checks.map(row),
          "",
          "Set-ups, in the order of the table:",
          "",
          ...checks.map(setupLine),
          "",
          `Means with half of their 95 % interval; differences paired by seed. The policy is a table of logits, without a network: what needs one can not show here. \`npm run effect -- --plugins ${slug}\` on 2 cores of a shared virtual machine; the same seeds give the same figures (\`effect.json\`).`,
        ];
  const open = unchecked.map(({ claim, why }) => `- Not checked: ${claim} ${why}`);
  return [
    BEGIN,
    "## Does the claimed effect show?",
    "",
    ...table,
    ...(checks.length > 0 && open.length > 0 ? [""] : []),
    ...open,
    END,
  ].join("\n");
}

/** The section stands behind "How to tell that it works", or at the end. */
function place(readme, text) {
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (from >= 0 && to > from) return readme.slice(0, from) + text + readme.slice(to + END.length);
  const anchor = readme.search(/^## (Provenance|Citation)/m);
  return anchor < 0 ? `${readme.trimEnd()}\n\n${text}\n` : `${readme.slice(0, anchor)}${text}\n\n${readme.slice(anchor)}`;
}

export function write(slug, result) {
  const folder = join("plugins", slug);
  writeFileSync(join(folder, "effect.json"), `${JSON.stringify({ formatVersion: 1, plugin: slug, ...result }, null, 2)}\n`);
  const readme = join(folder, "README.md");
  writeFileSync(readme, place(readFileSync(readme, "utf8"), section(slug, result)));
}
