import { expect } from "chai";
import fc from "fast-check";
import { lengthToStop, StopWatcher } from "../../src/index.js";

/** Tokens are pieces of UTF-8, as in byte-level vocabularies: an unfinished character decodes to U+FFFD. */
function byteTokenizer(pieces: readonly (string | Uint8Array)[]) {
  const bytes = pieces.map((piece) => (typeof piece === "string" ? new TextEncoder().encode(piece) : piece));
  return { decode: (tokens: ArrayLike<number>) => Buffer.concat(Array.from(tokens, (token) => bytes[token]!)).toString("utf8") };
}

/** A vocabulary of sentence pieces: the first space of a text is not shown. */
const sentencePieces = (pieces: readonly string[]) => ({
  decode: (tokens: ArrayLike<number>) =>
    Array.from(tokens, (token) => pieces[token]!)
      .join("")
      .replace(/^ /, ""),
});

const euro = new TextEncoder().encode("€");
const pieces = ["a", "b", "</", "to", "ol>", "\n", "ab\nb", " ", euro.slice(0, 1), euro.slice(1), "", "tool>x"];
const tokenizer = byteTokenizer(pieces);

describe("stop strings", () => {
  const cases: readonly [string, string[], number[], number, { length: number; stopped: boolean }][] = [
    ["end at the token that is one", ["\n"], [0, 5, 1], 0, { length: 2, stopped: true }],
    ["end at a token that holds more than one", ["\n"], [0, 6, 1], 0, { length: 2, stopped: true }],
    ["may span tokens", ["</tool>"], [0, 2, 3, 4, 1], 0, { length: 4, stopped: true }],
    ["may span tokens without text", ["</tool>"], [0, 2, 10, 3, 10, 4, 1], 0, { length: 6, stopped: true }],
    ["may end inside a token", ["</tool>"], [2, 11, 1], 0, { length: 2, stopped: true }],
    ["are whichever comes first", ["b", "aa"], [0, 0, 1], 0, { length: 2, stopped: true }],
    ["may be characters of several tokens", ["€"], [0, 8, 9, 1], 0, { length: 3, stopped: true }],
    ["may be absent", ["€"], [0, 1, 8], 0, { length: 3, stopped: false }],
    ["that stand in the given tokens do not count", ["\n"], [0, 5, 1, 1], 2, { length: 4, stopped: false }],
    ["that begin in the given tokens count", ["</tool>"], [5, 2, 3, 4, 1], 2, { length: 4, stopped: true }],
    ["that begin with an unfinished given character count", ["€"], [0, 8, 9, 1], 2, { length: 3, stopped: true }],
    ["that were never asked for end nothing", [], [0, 1], 0, { length: 2, stopped: false }],
  ];
  for (const [promise, strings, tokens, given, expected] of cases) {
    it(promise, () => {
      expect(lengthToStop(tokenizer, strings, tokens, given)).to.deep.equal(expected);
    });
  }

  const searched = (
    decode: (tokens: ArrayLike<number>) => string,
    strings: readonly string[],
    tokens: readonly number[],
    given: number,
  ) => {
    const isNew = (text: string, stop: string, old: number) => text.indexOf(stop, Math.max(0, old - stop.length + 1)) >= 0;
    for (let t = given; t < tokens.length; t++) {
      const old = decode(tokens.slice(0, t)).replace(/\uFFFD+$/, "").length;
      if (strings.some((stop) => isNew(decode(tokens.slice(0, t + 1)), stop, old))) return { length: t + 1, stopped: true };
    }
    return { length: tokens.length, stopped: false };
  };

  for (const [name, vocabulary] of [
    ["byte-level", tokenizer],
    ["sentence-piece", sentencePieces(["a", "b", " a", " b", " ", "ab ", "ba"])],
  ] as const) {
    it(`are found in ${name} text where a search of the whole text finds them`, () => {
      const size = name === "byte-level" ? pieces.length : 7;
      const stops = fc.constantFrom("ab", " a", "\nb", "b a b", "€a", "tool>", "aaaa", "bab a");
      fc.assert(
        fc.property(
          fc.array(fc.nat(size - 1), { maxLength: 80 }),
          fc.array(stops, { minLength: 1, maxLength: 3 }),
          fc.nat(30),
          (tokens, strings, given) => {
            const start = Math.min(given, tokens.length);
            expect(lengthToStop(vocabulary, strings, tokens, start)).to.deep.equal(searched(vocabulary.decode, strings, tokens, start));
          },
        ),
        { seed: 7, numRuns: 400 },
      );
    });
  }

  it("are watched for at a cost that does not grow with the response", () => {
    let longest = 0;
    const counting = {
      decode: (tokens: ArrayLike<number>) => {
        longest = Math.max(longest, tokens.length);
        return tokenizer.decode(tokens);
      },
    };
    const watcher = new StopWatcher(counting, ["</tool>"]);
    for (let t = 0; t < 2000; t++) expect(watcher.push(t % 2)).to.equal(false);
    expect(longest).to.be.below(30);
  });
});
