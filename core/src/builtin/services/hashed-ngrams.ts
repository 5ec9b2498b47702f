import { type Static, Type } from "typebox";
import { ConfigError } from "../../errors.js";
import { embedder, options } from "../../extension/component.js";
import type { Embedder } from "../../extension/services.js";

export const hashedNgramsOptions = Type.Object({
  dimensions: Type.Integer({ default: 256, minimum: 8, description: "Length of a vector" }),
  shortest: Type.Integer({ default: 2, minimum: 1, description: "Characters of the shortest n-grams" }),
  longest: Type.Integer({ default: 4, minimum: 1, description: "Characters of the longest n-grams" }),
  ignoreCase: Type.Boolean({ default: true, description: "Embed texts in lower case" }),
});

/** 32-bit FNV-1a over UTF-16 code units. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  // The last multiplication leaves the high bits of short texts alike.
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  return (h ^ (h >>> 12)) >>> 0;
}

/**
 * Unit vectors of character n-grams: each n-gram adds ±(1 + ln count) to the entry that its hash names. Texts that are written
 * alike are near each other; what they mean is not looked at. Weinberger et al. 2009 (0902.2206).
 */
@embedder({
  id: "hashed-ngrams",
  description: "Hashed character n-grams: how texts are written, without a model",
  options: hashedNgramsOptions,
})
export class HashedNgrams implements Embedder {
  constructor(@options() private readonly o: Static<typeof hashedNgramsOptions>) {
    if (o.shortest > o.longest)
      throw new ConfigError("the shortest n-gram is longer than the longest", { path: "shortest", given: o.shortest });
  }

  async embed(texts: readonly string[]): Promise<number[][]> {
    return texts.map((text) => this.vectorOf(text));
  }

  private vectorOf(text: string): number[] {
    const { dimensions, shortest, longest, ignoreCase } = this.o;
    const letters = [...` ${ignoreCase ? text.toLowerCase() : text} `];
    const counts = new Map<string, number>([["", 1]]);
    for (let size = shortest; size <= longest; size++) {
      for (let at = 0; at + size <= letters.length; at++) {
        const gram = letters.slice(at, at + size).join("");
        counts.set(gram, (counts.get(gram) ?? 0) + 1);
      }
    }
    // A text too short for any n-gram is the feature "" alone: every vector has a direction.
    if (counts.size > 1) counts.delete("");
    const vector = new Array<number>(dimensions).fill(0);
    for (const [gram, count] of counts) {
      const h = hash(gram);
      vector[(h >>> 1) % dimensions]! += (h & 1 ? 1 : -1) * (1 + Math.log(count));
    }
    const norm = Math.hypot(...vector);
    // Opposite signs can cancel in very few dimensions.
    return norm > 0 ? vector.map((x) => x / norm) : vector.map((_, i) => (i === 0 ? 1 : 0));
  }
}
