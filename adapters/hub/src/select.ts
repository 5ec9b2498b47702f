import type { ListFileEntry } from "@huggingface/hub";
import { UsageError } from "@proximal/core";

/** What a model needs: config, tokenizer, parameters, and the licence they come under. Some models hold the parameters twice. */
const NEEDED =
  /^(.*config\.json|tokenizer\.(json|model)|special_tokens_map\.json|added_tokens\.json|chat_template\.jinja|model(-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json|LICENSE.*)$/;

/** Of a GGUF file in parts all parts, first part first; of another file the file. */
function partsOf(name: string): string[] {
  const [, prefix, total] = /^(.*)-\d{5}-of-(\d{5})\.gguf$/.exec(name) ?? [];
  if (total === undefined) return [name];
  return Array.from({ length: Number(total) }, (_, i) => `${prefix}-${String(i + 1).padStart(5, "0")}-of-${total}.gguf`);
}

/** Files of a model's first folder that this project reads; of several GGUF files the one that is named, with all its parts. */
export function selectFiles(id: string, entries: readonly ListFileEntry[], names: readonly string[]): ListFileEntry[] {
  const files = entries.filter(({ type }) => type === "file");
  if (names.length > 0) {
    return [...new Set(names.flatMap(partsOf))].map((name) => {
      const found = files.find(({ path }) => path === name);
      if (found === undefined)
        throw new UsageError(`${id} has no such file`, { path: "--file", given: name, accepted: files.map(({ path }) => path) });
      return found;
    });
  }
  const needed = files.filter(({ path }) => NEEDED.test(path));
  if (needed.some(({ path }) => path.endsWith(".safetensors"))) return needed;
  const gguf = files.filter(({ path }) => path.endsWith(".gguf"));
  throw new UsageError(`${id} has no parameters as safetensors`, {
    ...(gguf.length > 0
      ? { accepted: gguf.map(({ path }) => path), hint: "name one of its GGUF files with --file" }
      : { given: files.map(({ path }) => path).join(", "), hint: "take a model that is stored as safetensors or GGUF" }),
  });
}
