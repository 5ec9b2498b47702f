import { fileURLToPath } from "node:url";
import type { Examples, PluginDefinition } from "@proximal/core";
import { type Check, type Effort, QUICK } from "./check.js";
import { loadPackage, packageChecks } from "./package.js";
import { pluginChecks } from "./plugin.js";

declare const describe: (title: string, body: () => void) => void;
declare const it: (title: string, body: () => Promise<void>) => void;

function testChecks(title: string, checks: readonly Check[]): void {
  describe(title, () => {
    for (const subject of new Set(checks.map((check) => check.subject))) {
      describe(subject, () => {
        for (const check of checks.filter((other) => other.subject === subject)) {
          it(check.promise, async () => {
            for (const warning of await check.run()) console.warn(`      ${subject}: ${warning}`);
          });
        }
      });
    }
  });
}

/** Everything that a plugin's components promise, as mocha tests. */
export const testPlugin = (plugin: PluginDefinition, options: { examples?: Examples; effort?: Effort } = {}): void =>
  testChecks(plugin.slug, pluginChecks(plugin, options));

/** The same and what a package promises: vectors, manifest, README. `await testPackage(new URL("../..", import.meta.url))`. */
export async function testPackage(folder: string | URL, effort: Effort = QUICK): Promise<void> {
  const loaded = await loadPackage(typeof folder === "string" ? folder : fileURLToPath(folder));
  testChecks(loaded.name, packageChecks(loaded, effort));
}
