import { ClipGate, type ColumnSpecs, instantiate, type Options, type Prompt, runAdvantage, runTerms } from "@proximal/core";
import { sampleContext, testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { whitened } from "../src/advantage.js";
import conformance from "../src/conformance.js";
import { DrPoAdvantage, DrPoGate, DrPoSampler, rollinLength } from "../src/index.js";
import { ROLLIN } from "../src/sampler.js";

testVectors(new URL("../../vectors/dr-po.json", import.meta.url), conformance);

const specs = { rollin: ROLLIN } as const satisfies ColumnSpecs;
const rollin = [[1, 0, 0], [1, 1, 1, 1, 0], [0, 0], [0, 0, 0, 0], [0], [1, 1, 0, 0]];
testTerms("DrPoGate", { component: DrPoGate }, { specs, extra: { rollin } });

describe("DR-PO's roll-in", () => {
  const table: [H: number, mix: number, position: number, b: number, h: number][] = [
    [10, 0, 0, 1, 1],
    [10, 0.999, 0.999, 1, 9],
    [2, 0, 0.999, 1, 1],
    [1, 0, 0.5, 1, 0],
    [10, 0.5, 0.5, 0.5, 0],
    [10, 0, 0.5, 0, 0],
  ];
  for (const [H, mix, position, b, h] of table) {
    it(`takes ${h} of ${H} tokens (draws ${mix}, ${position}, probability ${b})`, () =>
      expect(rollinLength(H, mix, position, b)).to.equal(h));
  }
});

describe("DR-PO's gate", () => {
  const tokens = { logp: [[-0.3, -2], [-1.5]], oldLogp: [[-0.5, -1], [-1]], advantages: [[0.7, -0.2], [-0.4]] };

  it("is PPO's without a prefix", () => {
    const ours = runTerms({ component: DrPoGate }, { ...tokens, rollin: [[0, 0], [0]] }, { specs });
    const clip = runTerms({ component: ClipGate }, tokens);
    expect([ours.loss, ours.gradLogp]).to.deep.equal([clip.loss, clip.gradLogp]);
  });

  it("is 0 when no token is free", () => {
    const { loss, gradLogp } = runTerms({ component: DrPoGate }, { ...tokens, rollin: [[1, 1], [1]] }, { specs });
    expect(loss).to.equal(0);
    expect(gradLogp.flat().every((g) => g === 0)).to.equal(true);
  });
});

describe("DR-PO's advantage", () => {
  const off = { klCoef: 0, whitenRewards: false, whitenAdvantages: false };
  const inputs = { rewards: [1, 3], oldLogp: [[-1, -1], []], refLogp: [[-2, -1], []], oldValues: [[0.25, 0.5], []] };
  const run = async (options: Options, over = {}) =>
    (await runAdvantage(DrPoAdvantage, { ...off, lambda: 1, ...options }, { ...inputs, ...over })) as Record<
      "advantages" | "returns",
      number[][]
    >;

  it("is score minus value without KL and whitening; an empty response is stepped over", async () => {
    expect((await run({})).advantages).to.deep.equal([[0.75, 0.5], []]);
  });

  it("takes the KL off every token", async () => {
    expect((await run({ klCoef: 0.5 })).returns).to.deep.equal([[0.5, 1], []]);
  });

  it("replaces the score of a response that was cut", async () => {
    expect((await run({}, { truncated: [1, 0] })).returns).to.deep.equal([[-1, -1], []]);
    expect((await run({ missingEosReward: null }, { truncated: [1, 0] })).returns).to.deep.equal([[1, 1], []]);
  });

  it("whitens with the population variance, around the mean or to it", () => {
    const values = Float64Array.of(1, 3, 99);
    for (const [keepMean, expected] of [
      [false, [-1, 1, 0]],
      [true, [1, 3, 0]],
    ] as const) {
      for (const [t, x] of whitened(values, [1, 1, 0], keepMean).entries()) expect(x).to.be.closeTo(expected[t]!, 1e-7);
    }
    expect([...whitened(Float64Array.of(5), [1], false)]).to.deep.equal([0]);
  });
});

describe("DR-PO's sampler", () => {
  const prompt = (id: string, fields = {}): Prompt => ({ id, text: id, tokens: Int32Array.of(1), golds: ["z"], fields });
  const pool = [prompt("a", { reference: "abcdef" }), prompt("b")];
  const collect = async (options: Options) => {
    const sampler = instantiate(DrPoSampler, { promptsPerStep: 2, groupSize: 4, shuffle: false, ...options });
    const context = sampleContext({ state: sampler.initialState(), prompts: pool, respond: () => "xyz", specs });
    const policy = {
      ...context.policy,
      tokenizer: { encode: (text: string) => Int32Array.from(text, (c) => c.charCodeAt(0)) },
      score: async (rows: readonly { response: Int32Array }[]) => ({
        logp: Float64Array.from(
          rows.flatMap(({ response }) => [...response]),
          (id) => -id,
        ),
      }),
    } as unknown as typeof context.policy;
    return sampler.collect({ ...context, policy });
  };

  it("continues a proper prefix of the reference and marks it; all tokens take part", async () => {
    const { batch } = await collect({});
    const texts = batch.trajectories.map(({ text }) => text);
    texts.slice(0, 4).forEach((text, row) => {
      expect(text).to.match(/^a(b(c(d(e)?)?)?)?x(y(z)?)?$/);
      const length = text.indexOf("x");
      expect([...batch.tokensOf("rollin", row)]).to.deep.equal(Array.from(text, (_, t) => Number(t < length)));
      expect([...batch.tokensOf("mask", row)]).to.deep.equal(Array.from(text, () => 1));
      expect([...batch.tokensOf("oldLogp", row)]).to.deep.equal(Array.from(text, (c) => -c.charCodeAt(0)));
    });
    expect(texts.slice(4)).to.deep.equal(["xyz", "xyz", "xyz", "xyz"]);
  });

  it("is the ordinary sampler with probability 0", async () => {
    const { batch } = await collect({ resetProbability: 0 });
    expect(new Set(batch.trajectories.map(({ text }) => text))).to.deep.equal(new Set(["xyz"]));
    expect(batch.f64("rollin").every((x) => x === 0)).to.equal(true);
  });
});
