import { instantiate } from "@proximal/core";
import { sampleContext } from "@proximal/core/testing";
import { expect } from "chai";
import { PrecisionSampler } from "../src/index.js";

describe("PrecisionSampler", () => {
  it("weighs the tokens of numbers and operations", async () => {
    const sampler = instantiate(PrecisionSampler, { groupSize: 1, promptsPerStep: 1, heavyWeight: 3 });
    const context = sampleContext({ state: sampler.initialState(), respond: () => "x.box(1.5)", maxTokens: 20 });
    const { batch, metrics } = await sampler.collect(context);
    expect(batch.ragged("tokenWeights")).to.deep.equal([[1, 1, 3, 3, 3, 1, 3, 3, 3, 1]]);
    expect(metrics).to.deep.equal({ heavyFraction: 0.6 });
  });
});
