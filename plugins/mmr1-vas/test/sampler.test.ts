import { ConfigError, instantiate, type Options, type Trajectory } from "@proximal/core";
import { sampleContext } from "@proximal/core/testing";
import { expect } from "chai";
import { VarianceAwareSampler } from "../src/index.js";
import type { VasState } from "../src/sampler.js";

/** Of 12 prompts the last two are uncertain; p0 … p4 always fail, p5 … p9 always succeed. */
const POOL = 12;
const rateOf = (id: string) => (Number(id.slice(1)) < 5 ? 0 : Number(id.slice(1)) < 10 ? 1 : 0.5);
const reward = ({ text }: Trajectory) => Number(text[0]);

async function steps(count: number, options: Options = {}, between = (state: VasState) => state) {
  const sampler = instantiate(VarianceAwareSampler, {
    promptsPerStep: 8,
    groupSize: 4,
    probeRollouts: 8,
    updateEvery: 2,
    alpha: 1,
    beta: 0,
    ...options,
  });
  let state = sampler.initialState();
  const seen = [];
  for (let step = 0; step < count; step++) {
    const context = sampleContext({
      state: between(state),
      step,
      prompts: POOL,
      reward,
      respond: ({ prompt }, random) => (random.uniform() < rateOf(prompt.id) ? "1" : "0"),
    });
    const result = await sampler.collect(context);
    state = result.state;
    const probes = context.requests.filter(({ key }) => key?.startsWith("probe/")).length;
    seen.push({ ...result, probes, prompts: result.groups.map(({ prompt }) => prompt.id) });
  }
  return seen;
}

describe("variance-aware sampling", () => {
  it("probes every prompt before the first step and then every updateEvery steps", async () => {
    expect((await steps(4)).map(({ probes }) => probes)).to.deep.equal([POOL * 8, 0, POOL * 8, 0]);
  });

  it("draws the weighted half among uncertain prompts and walks through all others", async () => {
    const seen = await steps(6);
    const halves = (parity: number) => seen.flatMap(({ prompts }) => prompts.filter((_, i) => i % 2 === parity));
    expect(halves(0).filter((id) => rateOf(id) !== 0.5)).to.deep.equal([]);
    expect(new Set(halves(1).slice(0, POOL)).size).to.equal(POOL);
  });

  it("raises the variance of rewards inside groups over even sampling", async () => {
    const variance = async (mixtureRatio: number) => {
      const seen = await steps(6, { mixtureRatio });
      return seen.reduce((sum, { metrics }) => sum + metrics.groupVariance!, 0) / seen.length;
    };
    expect(await variance(1)).to.be.above(await variance(0));
  });

  it("is even where no prompt has a weight", async () => {
    // No response has three tokens.
    const seen = await steps(4, { normalize: "minmax", alpha: 0, beta: 1, diversity: "distinctN", mixtureRatio: 1 });
    expect(seen[0]!.state.weights).to.deep.equal(new Array(POOL).fill(0));
    expect(new Set(seen.flatMap(({ prompts }) => prompts)).size).to.be.above(POOL / 2);
  });

  it("remembers the weights before a refresh as far as the momentum says", async () => {
    const plain = await steps(3);
    const [before, , after] = await steps(3, { momentum: 1 });
    expect(after!.state.weights).to.deep.equal(before!.state.weights);
    expect(plain[2]!.state.weights).to.not.deep.equal(plain[0]!.state.weights);
  });

  it("goes on from a copied state as if it had not stopped", async () => {
    const [whole, resumed] = [await steps(4), await steps(4, {}, structuredClone)];
    expect(resumed.map(({ prompts }) => prompts)).to.deep.equal(whole.map(({ prompts }) => prompts));
    expect(resumed.at(-1)!.state).to.deep.equal(whole.at(-1)!.state);
  });

  it("describes the data set at a refresh alone", async () => {
    const [first, second] = await steps(2);
    expect(first!.metrics).to.include.keys("probeSuccessRate", "probeOvs", "probeTds");
    expect(second!.metrics).to.not.have.any.keys("probeSuccessRate");
  });

  it("refuses two weights of 0", () => {
    expect(() => instantiate(VarianceAwareSampler, { alpha: 0, beta: 0 })).to.throw(ConfigError, "no prompt has a weight");
  });
});
