import type { InstalledPackage } from "../../config/installation.js";
import { discover } from "../../registry/discover.js";

/** Lists the installed packages with what they offer. */
export function pluginsCommand({ json }: { json?: boolean }): void {
  const { packages } = discover([process.cwd()]);
  if (json)
    console.log(
      JSON.stringify(
        packages.map(({ manifest, folder }) => ({ ...manifest, folder })),
        null,
        2,
      ),
    );
  else console.log(packages.map(describePackage).join("\n\n"));
}

function describePackage({ manifest }: InstalledPackage): string {
  const { name, version, title, components, algorithms, adapters } = manifest;
  const width = Math.max(
    0,
    ...[...Object.keys(algorithms), ...components.map(({ id }) => id), ...adapters.map(({ id }) => id)].map((id) => id.length),
  );
  const line = (kind: string, id: string, description: string) => `  ${kind.padEnd(12)}${id.padEnd(width + 2)}${description}`.trimEnd();
  return [
    `${name} ${version}  ${title}`,
    ...Object.entries(algorithms).map(([id, { description }]) => line("algorithm", id, description)),
    ...components.map(({ point, id, description }) => line(point, id, description)),
    ...adapters.map(({ id, description }) => line("engine", id, description)),
  ].join("\n");
}
