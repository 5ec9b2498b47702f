import { instantiate, type Prompt } from "@proximal/core";
import { sampleContext } from "@proximal/core/testing";
import { expect } from "chai";
import { SearchSampler } from "../src/index.js";

const pool = [1, 1, 2, 5].map((hops, i): Prompt => ({ id: `q${i}`, text: "?", tokens: Int32Array.of(1), golds: [], fields: { hops } }));

describe("SearchSampler", () => {
  it("rises after a window of successful steps, and draws from the new stage", async () => {
    const sampler = instantiate(SearchSampler, {
      groupSize: 1,
      promptsPerStep: 2,
      window: 2,
      promoteAt: 0.5,
      stageHops: [
        [1, 1],
        [2, 5],
      ],
    });
    let state = sampler.initialState();
    const seen: [stage: number, drawn: string[]][] = [];
    for (let step = 0; step < 3; step++) {
      const { batch, state: next, metrics } = await sampler.collect(sampleContext({ state, step, prompts: pool, reward: () => 0.5 }));
      seen.push([metrics.stage!, [...batch.strings("promptId")].sort()]);
      state = next;
    }
    expect(seen).to.deep.equal([
      [0, ["q0", "q1"]],
      [0, ["q0", "q1"]],
      [1, ["q2", "q3"]],
    ]);
    expect(state.progress).to.deep.equal({ stage: 1, recent: [0.5] });
  });

  it("counts only full marks where success is a share", async () => {
    const sampler = instantiate(SearchSampler, { groupSize: 1, promptsPerStep: 2, success: "share" });
    const { metrics } = await sampler.collect(sampleContext({ state: sampler.initialState(), prompts: pool, reward: () => 0.9 }));
    expect(metrics.success).to.equal(0);
  });

  it("tells a record without hops", async () => {
    const sampler = instantiate(SearchSampler, {});
    const error = await sampler.collect(sampleContext({ state: sampler.initialState() })).catch((e: Error) => e);
    expect((error as Error).message).to.match(/hops/);
  });
});
