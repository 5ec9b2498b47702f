import { instantiate, runAdvantage } from "@proximal/core";
import { sampleContext, testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { chainAdvantages, cutpoints } from "../src/chain.js";
import { ChainAdvantage } from "../src/chain-advantage.js";
import { ChainSampler } from "../src/chain-sampler.js";
import conformance from "../src/conformance.js";
import { SegmentGate } from "../src/gate.js";

testVectors(new URL("../../vectors/spo-segment.json", import.meta.url), conformance);
testTerms("SegmentGate", { component: SegmentGate, options: { probThreshold: 0.5 } });

const o = { probThreshold: 0.9, cutpointInterval: 2 };

describe("SPO-chain's cuts", () => {
  const cases: [promise: string, probs: number[], cuts: number[]][] = [
    ["lie before every second uncertain token, the first included", [0.95, 0.5, 0.5, 0.95, 0.5, 0.5, 0.5], [0, 3, 5]],
    ["may lie behind the prompt", [0.5, 1], [-1]],
    ["do not lie before a token at the threshold", [0.9, 0.95], []],
    ["do not exist in an empty response", [], []],
  ];
  for (const [promise, probs, cuts] of cases) it(promise, () => expect(cutpoints(probs, o)).to.deep.equal(cuts));
});

describe("SPO-chain's advantages", () => {
  const cases: [promise: string, probs: number[], values: number[], advantages: number[]][] = [
    ["are 0 without an uncertain token", [0.95, 0.99], [], [0, 0]],
    ["are 0 before the first cut", [0.9, 0.9, 0.5, 0.5], [0.25], [0, 0, 0.75, 0.75]],
    ["start at the prompt's value when the first token is uncertain", [0.5, 0.5, 0.5], [0.25, 0.75], [0.5, 0.5, 0.25]],
    ["are 0 for tokens above the threshold, not at it", [0.5, 0.95, 0.9], [0], [1, 0, 1]],
    ["are nothing for an empty response", [], [], []],
  ];
  for (const [promise, probs, values, advantages] of cases) {
    it(promise, () => expect([...chainAdvantages(probs, values, 1, o)]).to.deep.equal(advantages));
  }

  it("sit in the segment with the decisive token", () => {
    const probs = new Array<number>(6).fill(0.5);
    expect([...chainAdvantages(probs, [0.1, 0.1, 0.9], 0.9, o)]).to.deep.equal([0, 0, 0.8, 0.8, 0, 0]);
  });

  it("are whitened over the uncertain tokens of the batch, 0 elsewhere", async () => {
    const inputs = { rewards: [1, 0], oldLogp: [[-1, -1, -0.01], [-2]], cutpointValues: [[0.5], [0.5]] };
    const specs = { cutpointValues: { at: "row", dtype: "json" } } as const;
    const { advantages } = (await runAdvantage(ChainAdvantage, {}, inputs, { specs })) as unknown as { advantages: number[][] };
    expect(advantages[0]![2]).to.equal(0);
    const uncertain = [advantages[0]![0]!, advantages[0]![1]!, advantages[1]![0]!];
    expect(uncertain.reduce((a, b) => a + b)).to.be.closeTo(0, 1e-12);
    expect(uncertain.reduce((sum, a) => sum + a * a, 0) / 2).to.be.closeTo(1, 1e-6);
  });
});

describe("SPO's gate", () => {
  const terms = (logp: number[][], oldLogp: number[][], options = {}) =>
    conformance.gate!(options, { logp, oldLogp, advantages: logp.map((row) => row.map(() => 1)) }) as {
      loss: number;
      gradLogp: number[][];
      keep: number[][];
    };

  it("is 0 where every token is certain", () => {
    expect(terms([[-0.01, -0.05]], [[-0.01, -0.05]])).to.deep.equal({ loss: 0, gradLogp: [[0, 0]], keep: [[0, 0]] });
  });

  it("divides by the uncertain tokens of the whole batch", () => {
    const { loss, gradLogp } = terms([[-1, -0.01], [-1], [-1]], [[-1, -0.01], [-1], [-1]]);
    expect(loss).to.be.closeTo(-1, 1e-15);
    expect(gradLogp).to.deep.equal([[-1 / 3, 0], [-1 / 3], [-1 / 3]]);
  });

  it("has no gradient where the log-ratio is beyond 10", () => {
    const { gradLogp } = terms([[-12], [-1]], [[-1], [-1]], { clipLow: 0.2 });
    expect(gradLogp[0]).to.deep.equal([0]);
    expect(gradLogp[1]).to.deep.equal([-0.5]);
  });
});

describe("SPO-chain's sampler", () => {
  const sampler = instantiate(ChainSampler, { groupSize: 2, promptsPerStep: 1, valueSamples: 3, cutpointInterval: 2, shuffle: false });

  it("values each cut by fresh completions of its beginning, equal beginnings once", async () => {
    const respond = ({ prefix = [] as unknown as Int32Array, key = "" }: { prefix?: Int32Array; key?: string }) =>
      key.startsWith("value") ? (prefix.length === 0 ? "2" : key.endsWith("0") ? "22" : "11") : "2345";
    const context = sampleContext({
      state: sampler.initialState(),
      respond,
      reward: ({ text }) => (text.endsWith("1") ? 0 : 1),
      maxTokens: 8,
      specs: { cutpointValues: { at: "row", dtype: "json" } },
    });
    const { batch, metrics } = await sampler.collect(context);
    expect(batch.rows).to.equal(2);
    expect(batch.json<number[]>("cutpointValues")).to.deep.equal([
      [1, 1 / 3],
      [1, 1 / 3],
    ]);
    const completions = context.requests.slice(2);
    expect(completions.map(({ prefix, maxTokens }) => [prefix!.length, maxTokens])).to.deep.equal([
      ...new Array(3).fill([0, 8]),
      ...new Array(3).fill([2, 6]),
    ]);
    expect(metrics).to.include({ valueRollouts: 6 });
  });

  it("leaves a segment without a change where nothing can be verified", async () => {
    const context = sampleContext({
      state: sampler.initialState(),
      respond: () => "23",
      reward: ({ mask }) => (mask.length === 2 ? 1 : Number.NaN),
      specs: { cutpointValues: { at: "row", dtype: "json" } },
    });
    const scored = context.score;
    let calls = 0;
    const score: typeof context.score = async (groups) => {
      const batch = await scored(groups);
      return calls++ === 0 ? batch : batch.with({ rewards: new Float64Array(batch.rows).fill(Number.NaN) });
    };
    const { batch } = await sampler.collect({ ...context, score });
    expect(batch.json<number[]>("cutpointValues")).to.deep.equal([[1], [1]]);
  });
});
