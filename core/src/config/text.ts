const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The text that the bytes are in UTF-8, without a byte order mark; undefined when they are none: nothing is replaced in silence. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
