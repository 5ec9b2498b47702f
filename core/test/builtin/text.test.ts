import { expect } from "chai";
import { Batch, CharTokenizer, correctOf, responseLengths, textPattern, tokenOffsets } from "../../src/index.js";

describe("facts of texts", () => {
  it("a row is correct above the threshold, and unverifiable stays unverifiable", () => {
    expect([...correctOf([0.5, 0.6, -1, Number.NaN], 0.5)]).to.deep.equal([0, 1, 0, Number.NaN]);
  });

  it("lengths count characters or tokens", () => {
    const batch = new Batch({ lengths: [2, 0], group: [0, 0] }).with({ completions: ["abc", ""] });
    expect(Array.from(responseLengths(batch, "chars"))).to.deep.equal([3, 0]);
    expect(Array.from(responseLengths(batch, "tokens"))).to.deep.equal([2, 0]);
  });

  it("a pattern that does not compile names its option", () => {
    expect(() => textPattern("(", "callPattern")).to.throw(/callPattern/);
  });

  it("tokens know where they begin, and the stop token has no text", () => {
    const tokenizer = new CharTokenizer("ab");
    expect([...tokenOffsets(tokenizer, [2, 3, 2, 0])]).to.deep.equal([0, 1, 2, 3, 3]);
    expect([...tokenOffsets(tokenizer, [])]).to.deep.equal([0]);
  });

  it("tokens that hold a part of a character together give its width", () => {
    const bytes = [...new TextEncoder().encode("aé€b")];
    const tokenizer = { decode: (tokens: ArrayLike<number>) => new TextDecoder().decode(Uint8Array.from(tokens)) };
    const offsets = tokenOffsets(tokenizer, bytes);
    expect([offsets[1], offsets[3], offsets[6], offsets[7]]).to.deep.equal([1, 2, 3, 4]);
  });
});
