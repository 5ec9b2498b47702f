import { instantiate } from "@proximal/core";
import { sampleContext } from "@proximal/core/testing";
import { expect } from "chai";
import { ContrastSampler } from "../src/index.js";

const collect = async (options: object) => {
  const sampler = instantiate(ContrastSampler, {
    groupSize: 3,
    promptsPerStep: 1,
    shuffle: false,
    forbidTemplate: "{prompt} no",
    ...options,
  });
  return sampler.collect(sampleContext({ state: sampler.initialState(), respond: () => "7" }));
};

describe("ContrastSampler", () => {
  it("asks half of the group, rounded down, to construct and forbids the others", async () => {
    const { batch } = await collect({ forceContrast: true });
    expect(batch.strings("completions")).to.deep.equal(["<aux>7", "7", "7"]);
    expect(batch.strings("prompts")).to.deep.equal(["p0", "p0 no", "p0 no"]);
    expect(batch.ragged("mask")[0]).to.deep.equal([0, 0, 0, 0, 0, 1]);
  });

  it("samples independent responses otherwise", async () => {
    const { batch } = await collect({});
    expect(batch.strings("completions")).to.deep.equal(["7", "7", "7"]);
    expect(batch.strings("prompts")).to.deep.equal(["p0", "p0", "p0"]);
  });
});
