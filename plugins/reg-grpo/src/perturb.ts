import type { Random } from "@proximal/core";

/** First `strength` of a path's tokens, at least one left to the policy; empty when nothing is left to show. */
export function pathPrefix(path: Int32Array, strength: number, maxTokens: number): Int32Array {
  return path.slice(0, Math.max(0, Math.min(Math.floor(strength * path.length), path.length - 1, maxTokens - 1)));
}

/** `strength` of the words of a text, at random places, replaced by `mask`. */
export function maskedText(text: string, strength: number, mask: string, random: Random): string {
  const parts = text.split(/(\s+)/);
  const words = parts.flatMap((part, i) => (/\S/.test(part) ? [i] : []));
  const order = random.permutation(words.length);
  for (const at of order.subarray(0, Math.floor(strength * words.length))) parts[words[at]!] = mask;
  return parts.join("");
}
