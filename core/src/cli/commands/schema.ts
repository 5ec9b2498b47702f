import { writeFileSync } from "node:fs";
import { composeRunSchema } from "../../config/run-schema.js";
import { UsageError } from "../../errors.js";
import { discover } from "../../registry/discover.js";

/** Prints or writes the JSON schema of run configs over everything installed here. */
export function schemaCommand({ output }: { output?: string }): void {
  const text = `${JSON.stringify(composeRunSchema(discover([process.cwd()])), null, 2)}\n`;
  if (output === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(output, text);
  } catch (cause) {
    throw new UsageError("cannot write the schema", { file: output, given: (cause as Error).message, cause });
  }
  console.log(`${output} written. For completion in an editor, begin a config with:\n# yaml-language-server: $schema=${output}`);
}
