// Checks whether the effects that papers claim show in small runs: npm run effect -- [--plugins a,b] [--seeds 5] [--again]
// Reads plugins/<slug>/effect.yaml, writes plugins/<slug>/effect.json and a section of the README. A plugin whose effect.json
// is up to date with its effect.yaml is left alone unless --again is given.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ProximalError } from "@proximal/core";
import { parse } from "yaml";
import { effectFile, hasEffect, runCheck } from "./effect/run.mjs";
import { write } from "./effect/write.mjs";

const { values: o } = parseArgs({
  options: { plugins: { type: "string" }, seeds: { type: "string", default: "5" }, again: { type: "boolean", default: false } },
});
const all = readdirSync("plugins").filter((slug) => existsSync(join("plugins", slug, "package.json")));
const slugs = o.plugins?.split(",") ?? all.filter(hasEffect);
const unknown = slugs.find((slug) => !all.includes(slug));
if (unknown !== undefined) {
  console.error(`there is no plugin "${unknown}"; there are ${all.join(", ")}`);
  process.exit(1);
}

let broken = 0;
const tally = {};
for (const slug of slugs) {
  if (!hasEffect(slug)) {
    console.log(`${slug.padEnd(28)} declares no effect: ${effectFile(slug)} is missing`);
    broken++;
    continue;
  }
  const text = readFileSync(effectFile(slug), "utf8");
  const declared = createHash("sha256").update(`${text}\n${o.seeds}`).digest("hex").slice(0, 16);
  const file = join("plugins", slug, "effect.json");
  if (!o.again && existsSync(file) && JSON.parse(readFileSync(file, "utf8")).declared === declared) continue;
  const start = performance.now();
  try {
    const { checks = [], unchecked = [] } = parse(text);
    const results = [];
    for (const check of checks) results.push(await runCheck(slug, check, Number(o.seeds)));
    write(slug, {
      declared,
      command: `npm run effect -- --plugins ${slug}`,
      machine: "2 cores of a shared virtual machine",
      checks: results,
      unchecked,
    });
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    for (const { verdict, claim, difference, kind, method } of results) {
      tally[verdict] = (tally[verdict] ?? 0) + 1;
      const size =
        kind === "fact"
          ? method.toPrecision(3)
          : `${difference.mean.toPrecision(3)} ${difference.interval === null ? "" : `[${difference.interval.map((x) => x.toPrecision(3)).join(", ")}]`}`;
      console.log(slug.padEnd(28), verdict.padEnd(14), size.padEnd(34), claim);
    }
    console.log(slug.padEnd(28), `${checks.length} checked, ${unchecked.length} not checked, ${seconds} s`);
  } catch (error) {
    broken++;
    console.log(slug.padEnd(28), error instanceof ProximalError ? error.describe() : error.stack);
  }
}
console.log(
  Object.entries(tally)
    .map(([verdict, n]) => `${n} ${verdict}`)
    .join(", ") || "nothing to do",
);
process.exit(broken === 0 ? 0 : 1);
