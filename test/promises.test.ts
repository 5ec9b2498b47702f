import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { builtins } from "@proximal/core";
import { FULL, pluginChecks, QUICK, runChecks, testPackage } from "@proximal/testkit";
import { expect } from "chai";
import { histories } from "./histories.js";

const plugins = fileURLToPath(new URL("../../plugins/", import.meta.url));
// The quick checks take seconds for all plugins; `npm run check` runs the full ones.
const effort = process.env.PROXIMAL_CHECK === "full" ? FULL : QUICK;

const examples = { options: { "reward:format": [{ pattern: "\\d+" }] }, histories };

describe("what every component promises", () => {
  it("holds for the components of core", async () => {
    const failed = (await runChecks(pluginChecks({ components: builtins }, { effort, examples }))).filter(({ passed }) => !passed);
    expect(failed.map(({ subject, promise, reason }) => `${subject}: ${promise}: ${reason}`)).to.deep.equal([]);
  });
});

for (const slug of readdirSync(plugins)) await testPackage(`${plugins}${slug}`, effort);
