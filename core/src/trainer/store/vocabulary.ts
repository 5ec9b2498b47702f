import { existsSync, readFileSync } from "node:fs";
import type { Tokenizer } from "../../policy/index.js";
import { writeDurably } from "./files.js";

/** A token whose text shows no matter where it stands. */
const PLAIN = /^[A-Za-z0-9]+$/;

/**
 * Text of every token by its id, special tokens by their name. Tokens are decoded behind another one: some tokenizers drop the
 * space in front of a text's first token.
 */
function tokenTexts(tokenizer: Pick<Tokenizer, "vocabularySize" | "decode">): string[] {
  const textOf = (...tokens: number[]): string => tokenizer.decode(tokens, { skipSpecial: false });
  const alone = Array.from({ length: tokenizer.vocabularySize }, (_, id) => textOf(id));
  const base = alone.findIndex((text) => PLAIN.test(text));
  if (base < 0) return alone;
  return alone.map((text, id) => {
    const joined = textOf(base, id);
    return joined.startsWith(alone[base]!) ? joined.slice(alone[base]!.length) : text;
  });
}

export const writeVocabulary = (file: string, tokenizer: Tokenizer): void =>
  writeDurably(file, `${JSON.stringify(tokenTexts(tokenizer))}\n`);

/** Text of a token by its id; "" where it is not known. */
export function readVocabulary(file: string): (id: number) => string {
  if (!existsSync(file)) return () => "";
  const texts = JSON.parse(readFileSync(file, "utf8")) as string[];
  return (id) => texts[id] ?? "";
}
