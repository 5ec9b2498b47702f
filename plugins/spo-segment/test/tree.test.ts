import { instantiate, type Options, runAdvantage } from "@proximal/core";
import { sampleContext } from "@proximal/core/testing";
import { expect } from "chai";
import { backedUp, edgeAdvantage } from "../src/tree.js";
import { EDGE_COLUMNS, TreeAdvantage } from "../src/tree-advantage.js";
import { TreeSampler } from "../src/tree-sampler.js";

const { parentValue, parentStd } = EDGE_COLUMNS;

describe("SPO-tree's values", () => {
  it("are means over children, not over leaves, whatever the order of the nodes", () => {
    const { values, stds } = backedUp([2, 2, 4, 4, -1], [1, 0, null, 1, null]);
    expect([...values]).to.deep.equal([1, 0, 0.5, 1, 0.75]);
    expect([...stds]).to.deep.equal([0, 0, 0.5, 0, 0.25]);
  });

  it("leave unverified leaves out", () => {
    const { values, stds } = backedUp([-1, 0, 0, 0, 3], [null, 1, Number.NaN, null, null]);
    expect([...values]).to.deep.equal([1, 1, Number.NaN, Number.NaN, Number.NaN]);
    expect(stds[0]).to.equal(0);
  });

  it("of equal children are exactly theirs, so that their edges are dropped", () => {
    const { values, stds } = backedUp([-1, 0, 0, 0], [null, 0.1, 0.1, 0.1]);
    expect([values[0], stds[0]]).to.deep.equal([0.1, 0]);
  });

  it("take a childless root for a leaf, and several roots for a forest", () => {
    expect([...backedUp([-1, -1, 1], [0.5, null, 1]).values]).to.deep.equal([0.5, 1, 1]);
  });

  it("may be compared in units of the siblings' std", () => {
    expect(edgeAdvantage(1, 0.5, 0.25, "rloo")).to.equal(0.5);
    expect(edgeAdvantage(1, 0.5, 0.25, "grpo")).to.be.closeTo(2, 1e-6);
    expect(edgeAdvantage(0.5, 0.5, 0, "grpo")).to.equal(0);
  });
});

describe("SPO-tree's advantages", () => {
  const estimate = async (options: Options) =>
    (await runAdvantage(
      TreeAdvantage,
      options,
      { rewards: [1, 0.5, 0], parentValue: [0.5, 0.5, 0.5], parentStd: [0.5, 0.5, 0.5], oldLogp: [[-1, -0.01], [-2], [-1]] },
      { specs: { parentValue, parentStd } },
    )) as unknown as { advantages: number[][]; keep: number[] };

  it("drop edges that change nothing", async () => {
    expect(await estimate({ whiten: false })).to.deep.include({ advantages: [[0.5, 0.5], [0], [-0.5]], keep: [1, 0, 1] });
    expect((await estimate({ dropZero: false })).keep).to.deep.equal([1, 1, 1]);
  });

  it("are whitened over uncertain tokens of kept edges", async () => {
    const { advantages } = await estimate({});
    expect(advantages[0]![0]).to.be.closeTo(Math.SQRT1_2, 1e-6);
    expect(advantages[0]![1]).to.equal(0);
    expect(advantages[1]).to.deep.equal([0]);
  });
});

describe("SPO-tree's sampler", () => {
  const sampler = instantiate(TreeSampler, { promptsPerStep: 1, branchFactors: [2, 2], segmentLength: 1, shuffle: false });

  it("gives every segment a row with its path as context and the value of its end as reward", async () => {
    const respond = ({ prefix = new Int32Array(), key = "" }: { prefix?: Int32Array; key?: string }) =>
      prefix.length === 0 ? (key.endsWith("0") ? "1234" : "9") : key.endsWith("0") ? "234" : "111";
    const context = sampleContext({
      state: sampler.initialState(),
      respond,
      reward: ({ text }) => (text.endsWith("4") ? 1 : 0),
      maxTokens: 4,
      specs: { parentValue, parentStd, parentEdge: { at: "row", dtype: "i32" } },
    });
    const generate: typeof context.generate = async (requests) =>
      (await context.generate(requests)).map((t) => ({ ...t, finish: t.text === "9" ? ("stop" as const) : ("length" as const) }));
    const { batch, metrics } = await sampler.collect({ ...context, generate });
    expect(batch.strings("completions")).to.deep.equal(["1", "9", "1234", "1111"]);
    expect([...batch.i32("parentEdge")]).to.deep.equal([-1, -1, 0, 0]);
    expect(batch.ragged("mask")).to.deep.equal([[1], [1], [0, 1, 1, 1], [0, 1, 1, 1]]);
    expect([...batch.f64("rewards")]).to.deep.equal([0.5, 0, 1, 0]);
    expect([...batch.f64("parentValue")]).to.deep.equal([0.25, 0.25, 0.5, 0.5]);
    expect([...batch.f64("parentStd")]).to.deep.equal([0.25, 0.25, 0.5, 0.5]);
    expect(metrics).to.deep.equal({ edges: 4, value: 0.25 });
  });
});
