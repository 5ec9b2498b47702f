import { composeRunSchema } from "../../config/run-schema.js";
import { writeOut } from "../../folder.js";
import { discover } from "../../registry/discover.js";

/** Prints or writes the JSON schema of run configs over everything installed here. */
export function schemaCommand({ output }: { output?: string }): void {
  const text = `${JSON.stringify(composeRunSchema(discover([process.cwd()])), null, 2)}\n`;
  if (output === undefined) {
    process.stdout.write(text);
    return;
  }
  writeOut(output, text);
  console.log(`${output} written. For completion in an editor, begin a config with:\n# yaml-language-server: $schema=${output}`);
}
