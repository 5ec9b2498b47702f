import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { builtins } from "@proximal/core";
import { FULL, pluginChecks, QUICK, runChecks, testPackage } from "@proximal/testkit";
import { expect } from "chai";
import { histories } from "./histories.js";
import { modelServer } from "./model-server.js";

const plugins = fileURLToPath(new URL("../../plugins/", import.meta.url));
// The quick checks take seconds for all plugins; `npm run check` runs the full ones.
const effort = process.env.PROXIMAL_CHECK === "full" ? FULL : QUICK;

describe("what every component promises", () => {
  let server: Awaited<ReturnType<typeof modelServer>>;
  before(async () => {
    server = await modelServer();
  });
  after(() => server.close());

  it("holds for the components of core", async () => {
    const client = [{ baseUrl: server.baseUrl, model: "m", backoff: 0 }];
    const options = {
      "reward:format": [{ pattern: "\\d+" }],
      "reward:http": [{ url: `${server.baseUrl}score`, backoff: 0 }],
      "judge:openai": client,
      "embedder:openai": client,
    };
    const examples = { options, histories };
    const failed = (await runChecks(pluginChecks({ components: builtins }, { effort, examples }))).filter(({ passed }) => !passed);
    expect(failed.map(({ subject, promise, reason }) => `${subject}: ${promise}: ${reason}`)).to.deep.equal([]);
  });
});

for (const slug of readdirSync(plugins)) await testPackage(`${plugins}${slug}`, effort);
