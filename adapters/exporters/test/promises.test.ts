import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Exported } from "@proximal/core";
import { testPlugin } from "@proximal/testkit";
import { parse } from "csv-parse/sync";
import plugin from "../src/index.js";
import { readEvents } from "./event-reader.js";
import { TrackingServer } from "./tracking-server.js";

const server = new TrackingServer();
const url = await server.start();
after(() => server.stop());

/** What a spreadsheet reads. */
function fromTable(folder: string): Exported {
  const rows = parse(readFileSync(join(folder, "metrics.csv")), { columns: true }) as Record<string, string>[];
  return new Map(
    rows.map(({ step, timestamp: _, ...fields }) => {
      const existing = Object.entries(fields).filter(([, text]) => text !== "");
      return [Number(step), Object.fromEntries(existing.map(([name, text]) => [name, Number(text)]))];
    }),
  );
}

/** What TensorBoard shows: of the files in order, a restart voids the steps from its own on. */
function fromEvents(folder: string): Exported {
  const shown = new Map<number, Record<string, number>>();
  for (const event of readdirSync(folder)
    .sort()
    .flatMap((file) => readEvents(join(folder, file)))) {
    if (event.restart) for (const step of [...shown.keys()].filter((other) => other >= event.step)) shown.delete(step);
    const scalars = Object.entries(event.scalars).map(([tag, value]) => [tag.replace("/", "."), value]);
    if (scalars.length > 0) shown.set(event.step, Object.fromEntries(scalars));
  }
  return shown;
}

/** Names that the server does not take as they are. */
const NAMES: Readonly<Record<string, string>> = { pass_4: "pass@4", "reward.an _odd___name": 'reward.an "odd",\nname' };

/** What the server shows: of several values of a metric at a step the last. */
function fromServer(): Exported {
  const shown = new Map<number, Record<string, number>>();
  for (const { metrics = [] } of server.of("runs/log-batch") as { metrics?: { key: string; value: number; step: number }[] }[])
    for (const { key, value, step } of metrics) shown.set(step, { ...shown.get(step), [NAMES[key] ?? key]: value });
  return shown;
}

testPlugin(plugin, {
  examples: {
    options: { "exporter:mlflow": [{ url }] },
    exported: { "exporter:csv": fromTable, "exporter:tensorboard": fromEvents, "exporter:mlflow": fromServer },
  },
});
