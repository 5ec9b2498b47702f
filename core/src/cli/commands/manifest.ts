import { resolve } from "node:path";
import { UsageError } from "../../errors.js";
import { generate, outdated, writeGenerated } from "../../registry/author.js";

/** Writes (or only compares) manifest and option schemas of the plugin package in `folder`. */
export async function manifestCommand(folder: string, { check }: { check?: boolean }): Promise<void> {
  const root = resolve(folder);
  const files = await generate(root);
  if (!check) {
    for (const file of writeGenerated(root, files)) console.log(`written: ${file}`);
    return;
  }
  const stale = outdated(root, files);
  if (stale.length > 0) {
    throw new UsageError("generated files are out of date", { file: root, given: stale, hint: "run `proximal manifest` and commit them" });
  }
  console.log("up to date");
}
