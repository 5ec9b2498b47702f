import { expect } from "chai";
import { CharTokenizer, rescored, TabularPolicy, type Trajectory } from "../../src/index.js";

const tokenizer = new CharTokenizer("0123456789");

const trajectory = (prompt: string, text: string, mask: number[], temperature: number): Trajectory => ({
  prompt: { id: prompt, text: prompt, tokens: tokenizer.encode(prompt), golds: [], fields: {} },
  tokens: tokenizer.encode(text),
  mask: Uint8Array.from(mask),
  logp: new Float64Array(text.length).fill(-9),
  text,
  finish: "length",
  temperature,
});

describe("rescored trajectories", () => {
  it("hold the policy's log-probs of their own tokens, each behind its prompt and at its temperature", async () => {
    const policy = new TabularPolicy({ tokenizer });
    const given = [trajectory("1", "234", [1, 0, 1], 1), trajectory("2", "56", [1, 1], 0.5), trajectory("1", "", [], 1)];
    const rows = given.map(({ prompt, tokens }) => ({ prompt: prompt.tokens, response: tokens }));
    const result = await rescored(given, policy);
    for (const [i, { temperature, mask }] of given.entries()) {
      const { logp } = await policy.score([rows[i]!], { outputs: ["logp"], temperature });
      expect([...result[i]!.logp]).to.deep.equal([...logp!].map((value, t) => (mask[t] ? value : 0)));
    }
  });
});
