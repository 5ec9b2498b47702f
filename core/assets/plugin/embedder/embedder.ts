import { type Embedder, embedder, options, type Static, Type } from "@proximal/core";

const embedderOptions = Type.Object({
  alphabet: Type.String({ default: "0123456789abcdefghijklmnopqrstuvwxyz", minLength: 1, description: "Characters that count" }),
});

/** Counts of characters behind a constant 1, scaled to unit length: [texts][1 + alphabet]. */
@embedder({ id: "my-slug", description: "Counts of characters", options: embedderOptions })
export class MySlugEmbedder implements Embedder {
  constructor(@options() private readonly o: Static<typeof embedderOptions>) {}

  async embed(texts: readonly string[]): Promise<number[][]> {
    return texts.map((text) => {
      const counts = Array.from(this.o.alphabet, (character) => text.toLowerCase().split(character).length - 1);
      const norm = Math.hypot(1, ...counts);
      return [1, ...counts].map((count) => count / norm);
    });
  }
}
