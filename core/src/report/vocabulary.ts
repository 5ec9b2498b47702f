import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Tokenizer } from "../policy/index.js";

/** Text of one token by its id; undefined where it is not known. */
export type TokenText = (id: number) => string | undefined;

/** Token texts from a tokenizer at hand; special tokens show their name. */
export const textsOf =
  (tokenizer: Pick<Tokenizer, "decode">): TokenText =>
  (id) =>
    tokenizer.decode([id], { skipSpecial: false });

interface TokenizerFile {
  added_tokens?: readonly { id: number; content: string }[];
  /** Id by piece, or the pieces in order with their scores. */
  model?: { vocab?: Readonly<Record<string, number>> | readonly (readonly [string, number])[] };
}

/** Token texts from the first of the folders that holds a tokenizer.json; none is known when there is no such folder. */
export function readVocabulary(folders: readonly string[]): TokenText {
  const file = folders.map((folder) => join(folder, "tokenizer.json")).find((path) => existsSync(path));
  if (file === undefined) return () => undefined;
  const { added_tokens: added = [], model } = JSON.parse(readFileSync(file, "utf8")) as TokenizerFile;
  const vocabulary = model?.vocab ?? {};
  const isList = (value: typeof vocabulary): value is readonly (readonly [string, number])[] => Array.isArray(value);
  const pieces = isList(vocabulary)
    ? vocabulary.map(([piece], id) => [id, piece] as const)
    : Object.entries(vocabulary).map(([piece, id]) => [id, piece] as const);
  const byId = new Map(pieces);
  const special = new Map(added.map(({ id, content }) => [id, content]));
  const isByteLevel = byId.size > 0 && pieces.some(([, piece]) => piece.includes("Ġ"));
  return (id) => {
    const piece = byId.get(id);
    return special.get(id) ?? (piece === undefined ? undefined : isByteLevel ? fromByteLevel(piece) : piece.replaceAll("▁", " "));
  };
}

const isPrintable = (byte: number): boolean => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173 && byte <= 255);

/** Byte that a character of a byte-level piece stands for: printable bytes are themselves, the others follow from U+0100 on. */
const BYTES: ReadonlyMap<string, number> = (() => {
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  const others = all.filter((byte) => !isPrintable(byte));
  return new Map(all.map((byte) => [String.fromCharCode(isPrintable(byte) ? byte : 256 + others.indexOf(byte)), byte]));
})();

function fromByteLevel(piece: string): string {
  const bytes = [...piece].map((character) => BYTES.get(character));
  return bytes.every((byte) => byte !== undefined) ? Buffer.from(bytes as number[]).toString("utf8") : piece;
}
