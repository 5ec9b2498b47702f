import { type Batch, compare, instantiate, type Options, type RewardContext, runTerms } from "@proximal/core";
import { randomBatch, sampleContext, testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { DapoGate, DapoSampler, OverlongReward, overlongPunishment } from "../src/index.js";

testVectors(new URL("../../vectors/dapo.json", import.meta.url), conformance);

testTerms("DapoGate", { component: DapoGate });
testTerms("DapoGate without truncated responses", { component: DapoGate, options: { overlongFilter: true } });

describe("DAPO's gate", () => {
  const inputs = { logp: [[-1, -1], [-1]], oldLogp: [[-1, -1], [-1]], advantages: [1, 5] };
  const filtered = (truncated?: number[]) =>
    runTerms({ component: DapoGate, options: { overlongFilter: true } }, truncated ? { ...inputs, truncated } : inputs);

  it("lets a ratio rise to 1 + clipHigh and fall to 1 - clipLow", () => {
    const at = (ratio: number, advantage: number) => {
      const one = { logp: [[Math.log(ratio) - 1]], oldLogp: [[-1]], advantages: [advantage] };
      return runTerms({ component: DapoGate }, one).gradLogp[0]![0]!;
    };
    expect([at(1.27, 1), at(1.29, 1), at(0.81, -1), at(0.79, -1)].map((g) => Math.round(g * 100) / 100)).to.deep.equal([-1.27, 0, 0.81, 0]);
  });

  it("leaves truncated responses out of the sum and of the number of tokens", () => {
    const { loss, gradLogp } = filtered([0, 1]);
    expect(loss).to.be.closeTo(-1, 1e-12);
    expect(compare([[-0.5, -0.5], [0]], gradLogp, 1e-12)).to.equal(null);
  });

  it("gives 0 when all responses are truncated", () => {
    expect(filtered([1, 1])).to.deep.include({ loss: 0, gradLogp: [[0, 0], [0]] });
  });

  it("takes no response for truncated where nothing says so", () => {
    expect(filtered().loss).to.be.closeTo(-7 / 3, 1e-12);
  });
});

describe("DAPO's overlong punishment", () => {
  const o = { maxLength: 100, cacheLength: 20 };
  const cases: [length: number, punishment: number][] = [
    [0, 0],
    [80, 0],
    [81, -0.05],
    [90, -0.5],
    [100, -1],
    [101, -1],
    [5000, -1],
  ];
  for (const [length, punishment] of cases) {
    it(`is ${punishment} at ${length} tokens`, () => expect(overlongPunishment(length, o)).to.equal(punishment));
  }

  it("starts at the first token when the cache is the whole length", () => {
    expect(overlongPunishment(1, { maxLength: 4, cacheLength: 4 })).to.equal(-0.25);
  });

  it("is added to the inner reward, reported on its own, and leaves an unverifiable response so", () => {
    const reward = instantiate(OverlongReward, { maxLength: 4, cacheLength: 2, penaltyFactor: 2 });
    const batch: Batch = randomBatch(1, { lengths: [1, 3, 6], group: [0, 0, 0] });
    const inner = { rewards: Float64Array.of(1, 1, Number.NaN), components: {} };
    const { rewards, components, metrics } = reward.score(batch, { inner } as unknown as RewardContext);
    expect([...(rewards as Float64Array)]).to.deep.equal([1, 0, Number.NaN]);
    expect([...(components!.punishment as Float64Array)]).to.deep.equal([0, -1, -2]);
    expect(metrics!.punished).to.be.closeTo(2 / 3, 1e-12);
  });

  it("refuses a cache longer than the whole length", () => {
    expect(() => instantiate(OverlongReward, { maxLength: 4, cacheLength: 5 })).to.throw("cacheLength is larger than maxLength");
  });
});

describe("DAPO's sampler", () => {
  /** Prompts p0, p2, … are always right, the others once in two responses; right answers differ in their shaped reward. */
  const collect = (options: Options) => {
    const sampler = instantiate(DapoSampler, { groupSize: 2, shuffle: false, ...options });
    const respond = ({ prompt, key }: { prompt: { id: string }; key?: string }) =>
      Number(prompt.id.slice(1)) % 2 === 1 && key!.endsWith("/1") ? "1" : key!.endsWith("/1") ? "22" : "2";
    const reward = ({ text }: { text: string }) => (text === "1" ? 0 : 1 - 0.1 * text.length);
    return sampler.collect(sampleContext({ state: sampler.initialState(), prompts: 4, respond, reward }));
  };

  it("generates until targetGroups groups are neither all right nor all wrong", async () => {
    const { groups, batch, metrics, state } = await collect({ targetGroups: 3 });
    expect(groups.map(({ prompt }) => prompt.id)).to.deep.equal(["p1", "p3", "p1"]);
    expect(batch.groups).to.equal(3);
    expect(metrics).to.deep.equal({ genBatches: 2, generatedGroups: 6, keptGroups: 3, metricBeforeFilter: 0.75 });
    expect(state.drawn).to.equal(6);
  });

  it("looks at the accuracy unless told to look at the shaped reward", async () => {
    const { groups, metrics } = await collect({ targetGroups: 2, filterMetric: "rewards" });
    expect(groups.map(({ prompt }) => prompt.id)).to.deep.equal(["p0", "p1"]);
    expect(metrics.genBatches).to.equal(1);
  });

  it("goes on with fewer groups after maxGenBatches", async () => {
    const { groups, metrics } = await collect({ targetGroups: 4, promptsPerStep: 1, maxGenBatches: 3 });
    expect(groups.map(({ prompt }) => prompt.id)).to.deep.equal(["p1"]);
    expect(metrics).to.include({ genBatches: 3, keptGroups: 1 });
  });
});
