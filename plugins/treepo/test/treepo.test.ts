import { type GenerateRequest, instantiate, Random, type SampleContext, type Trajectory } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { branchBudget, largestRemainder, splitBudget } from "../src/branching.js";
import conformance from "../src/conformance.js";
import { TreeSampler } from "../src/index.js";

testVectors(new URL("../../vectors/treepo.json", import.meta.url), conformance);

describe("TreePO's branching", () => {
  const o = { branching: 2, maxWidth: 16 };
  const budgets: [title: string, live: number, finished: number, now: number, total: number][] = [
    ["doubles while there is room", 4, 0, 0, 8],
    ["hands the branches of finished paths on", 3, 1, 1, 8],
    ["never exceeds the leaves still wanted", 8, 10, 0, 8],
    ["lets every live path go on at least once", 5, 14, 2, 5],
    ["is 0 without live paths", 0, 3, 3, 0],
  ];
  for (const [title, live, finished, now, total] of budgets) {
    it(title, () => expect(branchBudget(live, finished, now, o)).to.equal(total));
  }

  it("splits every budget completely and leaves no path out", () => {
    const logp = [[-3], [-0.1, -0.2], [-1, -1, -1]];
    for (const policy of ["average", "lowProb", "highProb", "lowProbNorm", "highProbNorm"] as const) {
      const split = splitBudget(policy, logp, 11, 0.7);
      expect(split.reduce((a, b) => a + b, 0)).to.equal(11);
      expect(Math.min(...split)).to.be.at.least(1);
    }
  });

  it("gives remainders to the largest fractions, ties to the lowest index", () => {
    expect(largestRemainder([0.25, 0.25, 0.5], 3)).to.deep.equal([1, 1, 1]);
    expect(largestRemainder([1 / 3, 1 / 3, 1 / 3], 4)).to.deep.equal([2, 1, 1]);
  });
});

describe("the tree sampler", () => {
  const prompt = { id: "p", text: "p", tokens: Int32Array.of(1), golds: [], fields: {} };
  const random = new Random(4);

  /** Appends two tokens to every path; a path of four tokens or more stops with token 0. */
  const generate = async (requests: readonly GenerateRequest[]): Promise<Trajectory[]> =>
    requests.map(({ prefix = new Int32Array() }) => {
      const stop = prefix.length >= 4;
      const tokens = Int32Array.from([...prefix, ...(stop ? [0] : [2 + random.integer(5), 2 + random.integer(5)])]);
      const logp = Float64Array.from(tokens, (_, t) => (t < prefix.length ? 0 : -0.5));
      const mask = Uint8Array.from(tokens, (_, t) => (t < prefix.length ? 0 : 1));
      return { prompt, tokens, mask, logp, text: [...tokens].join(" "), finish: stop ? "stop" : "length", temperature: 1 };
    });

  it("grows the leaves it was asked for, trains on every sampled token, and names each leaf's path", async () => {
    const sampler = instantiate(TreeSampler, { maxWidth: 4, segmentTokens: 2, maxDepth: 5, promptsPerStep: 1 });
    const context = {
      step: 0,
      state: sampler.initialState(),
      random,
      prompts: { size: 1, get: () => prompt, derive: () => prompt },
      maxTokens: 8,
      generate,
      score: async () => undefined,
    } as unknown as SampleContext<ReturnType<TreeSampler["initialState"]>>;
    const { groups } = await sampler.collect(context);
    const leaves = groups[0]!.trajectories;
    expect(leaves.length).to.be.at.least(4);
    for (const { tokens, mask, logp, columns } of leaves) {
      expect([...mask]).to.deep.equal([...tokens].map(() => 1));
      expect([...logp]).to.deep.equal([...tokens].map(() => -0.5));
      expect((columns!.treePath as number[]).length).to.equal(3);
    }
    const paths = leaves.map(({ columns }) => (columns!.treePath as number[]).join("/"));
    expect(new Set(paths).size).to.equal(leaves.length);
  });
});
