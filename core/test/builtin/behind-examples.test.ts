import { expect } from "chai";
import { behindExamples, DataError, type Prompt } from "../../src/index.js";

const base: Prompt = { id: "0", text: "q", tokens: new Int32Array(1), golds: [], fields: {} };
const upTo = (limit: number) => ({
  derive: (prompt: Prompt, text: string): Prompt => {
    if (text.length > limit) throw new DataError("too long");
    return { ...prompt, text };
  },
});

describe("a prompt behind examples", () => {
  const cases: [limit: number, text: string | null][] = [
    [9, "aabbq"],
    [4, "aaq"],
    [2, null],
  ];
  for (const [limit, text] of cases) {
    it(`of at most ${limit} characters is ${text}`, () => {
      expect(behindExamples(base, ["aa", "bb"], upTo(limit))?.text ?? null).to.equal(text);
    });
  }

  it("is none without examples", () => expect(behindExamples(base, [], upTo(9))).to.equal(null));

  it("passes other errors on", () => {
    const broken = {
      derive: () => {
        throw new TypeError("broken");
      },
    };
    expect(() => behindExamples(base, ["a"], broken)).to.throw(TypeError);
  });
});
