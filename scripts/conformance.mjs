// Runs conformance vectors against the installed plugins: npm run conformance -- DIR|FILE… [--plugin SLUG] [--component NAME]
import { parseArgs } from "node:util";
import { conformanceTable, installedMaps, ProximalError, runConformance } from "@proximal/core";

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { plugin: { type: "string" }, component: { type: "string" } },
  });
  if (positionals.length === 0) {
    console.error("usage: npm run conformance -- DIR|FILE… [--plugin SLUG] [--component NAME]");
    process.exit(1);
  }
  const outcomes = await runConformance(positionals, installedMaps(process.cwd()), values);
  console.log(conformanceTable(outcomes));
  process.exit(outcomes.length > 0 && outcomes.every((o) => o.passed) ? 0 : 1);
} catch (error) {
  console.error(error instanceof ProximalError || error.code?.startsWith("ERR_PARSE_ARGS") ? (error.describe?.() ?? error.message) : error);
  process.exit(1);
}
