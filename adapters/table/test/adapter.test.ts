import { expect } from "chai";
import tableAdapter from "../src/index.js";

const optimizer = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0, maxGradNorm: 1 };
const open = (model: object) => tableAdapter.open({ model, engine: {}, optimizer, seed: 1, valueHead: false });
const score = async (model: object, ...texts: string[]): Promise<number[]> => {
  const policy = await open({ alphabet: "01?", ...model });
  const rows = texts.map((text) => ({ prompt: policy.tokenizer.encode(text), response: policy.tokenizer.encode("0") }));
  return [...(await policy.score(rows, { outputs: ["logp"], temperature: 1 })).logp!];
};

describe("the table engine", () => {
  it("starts with equally likely tokens", async () => {
    expect((await score({}, "0?"))[0]).to.be.closeTo(-Math.log(5), 1e-12);
  });

  it("starts with logits that follow from the model's seed and the prompt, not from what was asked before", async () => {
    const [a, b] = await score({ spread: 1, seed: 3 }, "0?", "1?");
    expect(a).to.not.equal(b);
    expect(await score({ spread: 1, seed: 3 }, "1?", "0?")).to.deep.equal([b, a]);
    expect((await score({ spread: 1, seed: 4 }, "0?"))[0]).to.not.equal(a);
  });
});
