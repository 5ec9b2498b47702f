import { readFileSync } from "node:fs";

const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as { version: string };

/** What a checkpoint was written with. */
export const runtimeVersions = (engine: string): Record<string, string> => ({
  "@proximal/core": version,
  node: process.versions.node,
  platform: `${process.platform} ${process.arch}`,
  engine,
});
