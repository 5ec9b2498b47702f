import { ConfigError, instantiate, type Options, type Trajectory } from "@proximal/core";
import { sampleContext } from "@proximal/core/testing";
import { expect } from "chai";
import { KnapsackSampler } from "../src/index.js";
import type { KnapsackState } from "../src/sampler.js";

/** Prompts p0 … p3 are solved with these probabilities; a response "1" is right. */
const RATES = [0, 0.2, 0.5, 1];
const reward = ({ text }: Trajectory) => Number(text);

async function steps(count: number, options: Options = {}, between = (state: KnapsackState) => state) {
  const sampler = instantiate(KnapsackSampler, { promptsPerStep: 4, shuffle: false, ...options });
  let state = sampler.initialState();
  const results = [];
  for (let step = 0; step < count; step++) {
    const result = await sampler.collect(
      sampleContext({
        state: between(state),
        step,
        reward,
        respond: ({ prompt }, random) => (random.uniform() < RATES[Number(prompt.id.slice(1))]! ? "1" : "0"),
      }),
    );
    state = result.state;
    results.push(result);
  }
  return results;
}

const sizes = ({ groups }: { groups: readonly { trajectories: readonly unknown[] }[] }) => groups.map((g) => g.trajectories.length);

describe("the knapsack sampler", () => {
  it("is even in the first pass and gives uneven groups of the same total from the second on", async () => {
    const [first, second] = await steps(2);
    expect(sizes(first!)).to.deep.equal([8, 8, 8, 8]);
    expect(sizes(second!).reduce((a, b) => a + b, 0)).to.equal(32);
    expect(Math.min(...sizes(second!))).to.equal(2);
    expect(second!.batch.groupRows.map((rows) => rows.length)).to.deep.equal(sizes(second!));
  });

  it("remembers the success rate of each prompt's last visit", async () => {
    const [{ state, batch }] = (await steps(1)) as [Awaited<ReturnType<typeof steps>>[number]];
    expect(state.memory.p0).to.deep.equal({ rate: 0, count: 8 });
    expect(state.memory.p3).to.deep.equal({ rate: 1, count: 8 });
    const solved = batch.groupRows[2]!.filter((row) => batch.f64("rewards")[row] === 1).length;
    expect(state.memory.p2).to.deep.equal({ rate: solved / 8, count: 8 });
  });

  it("keeps the memory of a prompt that gets nothing, and leaves its group out", async () => {
    const [, second] = await steps(2, { oneRollouts: 0 });
    expect(second!.groups.map(({ prompt }) => prompt.id)).to.deep.equal(["p0", "p1", "p2"]);
    expect(second!.state.memory.p3).to.deep.equal({ rate: 1, count: 8 });
  });

  it("goes on from a copied state as if it had not stopped", async () => {
    const [whole, resumed] = [await steps(3), await steps(3, {}, structuredClone)];
    expect(resumed.map(sizes)).to.deep.equal(whole.map(sizes));
    expect(resumed.at(-1)!.state).to.deep.equal(whole.at(-1)!.state);
  });

  it("reports informative groups, the largest group and prompts that are new", async () => {
    const [first, second] = await steps(2);
    expect(first!.metrics).to.include({ unseenFraction: 1, largestGroup: 8, redistributed: 0 });
    expect(second!.metrics).to.include({ unseenFraction: 0, largestGroup: Math.max(...sizes(second!)) });
    expect(first!.metrics.informativeGroups).to.equal(0.5);
  });

  it("takes groupSize for rolloutsPerPrompt", async () =>
    expect(sizes((await steps(1, { groupSize: 3 }))[0]!)).to.deep.equal([3, 3, 3, 3]));

  it("refuses a minimum above the maximum", () => {
    expect(() => instantiate(KnapsackSampler, { minRollouts: 5, maxRollouts: 4 })).to.throw(
      ConfigError,
      "minRollouts is above maxRollouts",
    );
  });
});
