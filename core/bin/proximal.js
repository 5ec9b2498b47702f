#!/usr/bin/env node
// A file of its own, so that npm finds it when it installs a clone, which has built nothing yet.
import { existsSync } from "node:fs";

const main = new URL("../dist/src/cli/main.js", import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  console.error("proximal is not built yet\n  hint:     npm run build");
  process.exit(1);
}
