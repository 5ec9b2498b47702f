import { runReward } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import fc from "fast-check";
import conformance from "../src/conformance.js";
import { grpoToolReward, OtcReward } from "../src/index.js";

testVectors(new URL("../../vectors/otc-po.json", import.meta.url), conformance);

describe("the tool reward", () => {
  const calls = fc.integer({ min: 0, max: 50 });

  it("is 1 at the fewest calls, whatever they are", () => {
    fc.assert(
      fc.property(calls, (n) => {
        expect(grpoToolReward(n, n, 1)).to.be.closeTo(1, 1e-12);
      }),
    );
  });

  it("falls with every call beyond them", () => {
    fc.assert(
      fc.property(calls, calls, (n, extra) => {
        expect(grpoToolReward(n + extra + 1, n, 1)).to.be.below(grpoToolReward(n + extra, n, 1));
      }),
    );
  });

  it("halves at one superfluous call", () => expect(grpoToolReward(1, 0, 1)).to.be.closeTo(0.5, 1e-12));
});

describe("OtcReward", () => {
  const call = "<tool_call>f()</tool_call>";
  const inputs = { completions: [call, `${call}${call}`, "none"], promptId: ["p", "p", "p"], group: [0, 0, 0] };
  const score = (inner: number[], state?: object, options: object = {}) =>
    runReward(OtcReward, { ...options }, inputs, { inner: { rewards: inner }, ...(state ? { state: { version: 1, ...state } } : {}) });

  it("counts the calls in the completions and remembers the fewest of a right response", async () => {
    const { toolCalls, state, metrics } = await score([1, 1, 0]);
    expect(toolCalls).to.deep.equal([1, 2, 0]);
    expect(state).to.deep.equal({ version: 1, calls: { p: 1 } });
    expect(metrics).to.include({ fewestCalls: 1 });
  });

  it("never forgets a better count", async () => {
    const { rewards, state } = await score([0, 1, 0], { calls: { p: 1 } });
    expect(state).to.deep.equal({ version: 1, calls: { p: 1 } });
    expect(rewards[1]).to.be.closeTo(Math.sin((2 * Math.PI) / 3), 1e-12);
  });

  it("neither reads nor writes its memory when it shall not remember", async () => {
    const { rewards, state } = await score([0, 1, 0], { calls: { p: 1, q: 4 } }, { remember: false });
    expect(state).to.deep.equal({ version: 1, calls: { p: 1, q: 4 } });
    expect(rewards[1]).to.be.closeTo(1, 1e-12);
  });

  it("learns nothing from a group without a right response", async () => {
    const { rewards, state } = await score([0, 0, 0]);
    expect(rewards).to.deep.equal([0, 0, 0]);
    expect(state).to.deep.equal({ version: 1, calls: {} });
  });

  it("takes the calls from the column where the run has one", async () => {
    const { rewards } = await runReward(
      OtcReward,
      { variant: "ppo" },
      { ...inputs, toolCalls: [0, 1, 0] },
      { inner: { rewards: [1, 1, 1] }, specs: { toolCalls: { at: "row", dtype: "i32" } } },
    );
    expect(rewards[0]).to.equal(1);
    expect(rewards[1]).to.be.closeTo(0.5, 1e-12);
  });
});
