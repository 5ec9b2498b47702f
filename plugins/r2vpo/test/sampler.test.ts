import { Batch, type GenerateRequest, type Group, instantiate, type Prompt, Random, type Trajectory } from "@proximal/core";
import { expect } from "chai";
import { ReplaySampler, type ReplayState } from "../src/sampler.js";

const prompt = (index: number): Prompt => ({ id: `${index}`, text: `${index}`, tokens: Int32Array.of(index), golds: [], fields: {} });

/** Log-probs tell the step at which a response was drawn. */
const drawn = (request: GenerateRequest, step: number): Trajectory => ({
  prompt: request.prompt,
  tokens: Int32Array.of(1, 2),
  mask: Uint8Array.of(1, 1),
  logp: Float64Array.of(-step, -step),
  text: "",
  finish: "stop",
  temperature: 1,
});

/** Steps at which the groups of each batch were drawn. */
async function steps(replaySize: number, count: number, between = (state: ReplayState) => state): Promise<number[][]> {
  const sampler = instantiate(ReplaySampler, { replaySize, groupSize: 2, promptsPerStep: 1 });
  let state = sampler.initialState();
  const seen: number[][] = [];
  for (let step = 1; step <= count; step++) {
    const result = await sampler.collect({
      step,
      state: between(state),
      random: new Random(1).fork(step),
      prompts: { size: 5, get: prompt },
      generate: async (requests: readonly GenerateRequest[]) => requests.map((request) => drawn(request, step)),
      score: async (groups: readonly Group[]) => Batch.fromGroups(groups),
    } as never);
    state = result.state;
    const { batch } = result;
    seen.push(batch.groupRows.map((rows) => -batch.tokensOf("oldLogp", rows[0]!)[0]!));
  }
  return seen;
}

describe("R2VPO's replay", () => {
  it("is off by default", async () => {
    expect(await steps(0, 3)).to.deep.equal([[1], [2], [3]]);
  });

  it("adds the last batches with the log-probs they were drawn at, and forgets the oldest", async () => {
    expect(await steps(2, 4)).to.deep.equal([[1], [2, 1], [3, 2, 1], [4, 3, 2]]);
  });

  it("goes on from a copied state", async () => {
    expect(await steps(1, 3, structuredClone)).to.deep.equal([[1], [2, 1], [3, 2]]);
  });
});
