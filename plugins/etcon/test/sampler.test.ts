import { instantiate, type Prompt } from "@proximal/core";
import { sampleContext } from "@proximal/core/testing";
import { expect } from "chai";
import { DemonstrationSampler } from "../src/index.js";

const prompt = (id: string, fields: Prompt["fields"], golds: string[] = []): Prompt => ({
  id,
  text: id,
  tokens: Int32Array.of(1),
  golds,
  fields,
});
const collect = (prompts: readonly Prompt[]) => {
  const sampler = instantiate(DemonstrationSampler, { promptsPerStep: prompts.length, shuffle: false });
  return sampler.collect(sampleContext({ state: sampler.initialState(), prompts }));
};

describe("DemonstrationSampler", () => {
  it("gives target texts with a stop token, anchored on the present policy; answers where there is no target", async () => {
    const { batch } = await collect([prompt("a", { target: "so it is" }), prompt("b", {}, ["ok"])]);
    expect(batch.strings("completions")).to.deep.equal(["so it is", "ok"]);
    expect([...batch.lengths]).to.deep.equal([9, 3]);
    expect(batch.ragged("oldLogp")[1]).to.deep.equal([-0.5, -0.5, -0.5]);
    expect(batch.f64("mask").every((m) => m === 1)).to.equal(true);
  });

  it("tells a record with neither", async () => {
    const error = await collect([prompt("c", {})]).catch((e: Error) => e);
    expect((error as Error).message).to.match(/target/);
  });
});
