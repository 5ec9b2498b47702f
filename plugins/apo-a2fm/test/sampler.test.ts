import { instantiate } from "@proximal/core";
import { sampleContext } from "@proximal/core/testing";
import { expect } from "chai";
import { ModeSampler } from "../src/index.js";

describe("ModeSampler", () => {
  it("gives the tags of forced modes, does not train on them, and leaves the others to the policy", async () => {
    const sampler = instantiate(ModeSampler, { forcedPerMode: 1, adaptive: 1, modes: ["a", "b"], tags: { b: "#" }, promptsPerStep: 2 });
    const specs = { forcedMode: { at: "row", dtype: "string" }, forced: { at: "row", dtype: "bool" } } as const;
    const { groups, batch } = await sampler.collect(sampleContext({ state: sampler.initialState(), respond: () => "7", specs }));
    expect(groups).to.have.length(2);
    expect(batch.strings("completions").slice(0, 3)).to.deep.equal(["<a>7", "#7", "7"]);
    expect(batch.ragged("mask").slice(0, 3)).to.deep.equal([[0, 0, 0, 1], [0, 1], [1]]);
    expect(batch.strings("forcedMode").slice(0, 3)).to.deep.equal(["a", "b", ""]);
    expect([...batch.f64("forced")].slice(0, 3)).to.deep.equal([1, 1, 0]);
  });
});
