import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sandbox } from "@proximal/sandbox";
import { testPlugin } from "@proximal/testkit";
import plugin from "../src/index.js";

const folder = mkdtempSync(join(tmpdir(), "proximal-tools-"));
const collection = join(folder, "documents.jsonl");
writeFileSync(collection, '{"id":"d1","title":"Velmora","text":"Velmora is a harbour town."}\n');
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await sandbox().close();
});

testPlugin(plugin, {
  examples: {
    options: {
      "environment:tools": [
        { calculator: {}, search: { collection }, access: { collection }, code: { seconds: 20 } },
        { calculator: {}, maxCalls: 1 },
        { search: { collection, excerpt: 0 } },
        { code: { seconds: 20 } },
      ],
    },
    turns: [
      "so <calculator>6 * 7</calculator>",
      "then <search>harbour</search>",
      "and <access>d1</access>",
      "<code>let x = 6; x * 7</code>",
      "<code>x + 1</code>",
      "<calculator>1 / 0</calculator>",
      "<access>nowhere</access>",
      "the answer is 42",
    ],
  },
});
