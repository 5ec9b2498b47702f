import type { InstalledPackage } from "../../config/installation.js";
import { nearest } from "../../config/nearest.js";
import { UsageError } from "../../errors.js";
import type { Paper } from "../../extension/plugin.js";
import { discover } from "../../registry/discover.js";

/** Lists the installed packages with what they offer; `names` (slugs or package names) picks some. */
export function pluginsCommand(names: readonly string[], { json }: { json?: boolean }): void {
  const { packages } = discover([process.cwd()]);
  const known = packages.flatMap(({ manifest }) => [manifest.slug, manifest.name]);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const near = nearest(unknown, known);
    throw new UsageError(`no installed package is called "${unknown}"`, {
      hint: near === undefined ? `npm i @proximal/plugin-${unknown}` : `did you mean "${near}"?`,
    });
  }
  const chosen = packages.filter(({ manifest }) => names.length === 0 || names.includes(manifest.slug) || names.includes(manifest.name));
  if (json)
    console.log(
      JSON.stringify(
        chosen.map(({ manifest, folder }) => ({ ...manifest, folder })),
        null,
        2,
      ),
    );
  else console.log(chosen.map(describePackage).join("\n\n"));
}

function cite({ title, authors, year, arxiv, url }: Paper): string {
  return [authors, `"${title}"`, year, arxiv === undefined ? url : `arXiv ${arxiv}`].filter((part) => part !== undefined).join(", ");
}

function describePackage({ manifest }: InstalledPackage): string {
  const { name, version, title, paper, provenance, reconstructed, components, algorithms, adapters } = manifest;
  const width = Math.max(
    0,
    ...[...Object.keys(algorithms), ...components.map(({ id }) => id), ...adapters.map(({ id }) => id)].map((id) => id.length),
  );
  const line = (kind: string, id: string, description: string) => `  ${kind.padEnd(12)}${id.padEnd(width + 2)}${description}`.trimEnd();
  const fact = (kind: string, text: string) => `  ${kind.padEnd(12)}${text}`;
  return [
    `${name} ${version}  ${title}`,
    ...(paper === undefined ? [] : [fact("paper", cite(paper))]),
    ...Object.entries(algorithms).map(([id, { description }]) => line("algorithm", id, description)),
    ...components.flatMap(({ point, id, description, conventions }) => [
      line(point, id, description),
      ...Object.entries(conventions).map(([key, value]) => `  ${"".padEnd(14 + width)}${key}: ${value}`),
    ]),
    ...adapters.map(({ id, description }) => line("engine", id, description)),
    ...(paper === undefined ? [] : [fact("provenance", provenance)]),
    ...(reconstructed.length === 0 ? [] : [fact("", `(reconstructed) ${reconstructed.join("; ")}`)]),
  ].join("\n");
}
