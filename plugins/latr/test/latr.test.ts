import { instantiate, NO_RUN, type Options } from "@proximal/core";
import { sampleContext, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { branchStep, ranked } from "../src/branching.js";
import conformance from "../src/conformance.js";
import { LatrSampler } from "../src/index.js";
import { returnTarget, treeRollouts } from "../src/schedule.js";
import { editDistance, rougeL, suffixMatch } from "../src/similarity.js";
import { Tree } from "../src/tree.js";

testVectors(new URL("../../vectors/latr.json", import.meta.url), conformance);

const o = { maxBranchesPerToken: 3, absThreshold: 0.15, relThreshold: 0.25 };

describe("LATR's branching", () => {
  it("takes second candidates of all branches before third ones, and no more than there is room for", () => {
    const probs = [
      [0.3, 0.3, 0.3],
      [0.3, 0.3, 0.3],
    ];
    const at = (capacity: number) => branchStep(probs.map(ranked), [false, false], [7, 7], capacity, o);
    expect(at(4)).to.deep.equal({
      continueToken: [0, 0],
      newBranches: [
        { parent: 0, token: 1 },
        { parent: 1, token: 1 },
      ],
      suppressed: [1, 1],
    });
    expect(at(5).newBranches).to.deep.equal([
      { parent: 0, token: 1 },
      { parent: 0, token: 2 },
      { parent: 1, token: 1 },
    ]);
    expect(at(2)).to.deep.include({ newBranches: [], suppressed: [2, 2] });
  });

  const single: [title: string, probs: number[], forks: number[]][] = [
    ["needs more than the absolute threshold", [0.35, 0.15, 0.1], []],
    ["needs less than the relative distance", [0.5, 0.25, 0.2], []],
    ["breaks ties by id", [0.2, 0.4, 0.4], [2, 0]],
  ];
  for (const [title, probs, forks] of single) {
    it(title, () => expect(branchStep([ranked(probs)], [false], [0], 9, o).newBranches.map(({ token }) => token)).to.deep.equal(forks));
  }
});

describe("LATR's similarities", () => {
  const table: [a: number[], b: number[], edit: number, suffix: number, rouge: number][] = [
    [[1, 2, 3], [1, 2, 3], 0, 1, 1],
    [[1, 2, 3], [4, 5, 6], 3, 0, 0],
    [[9, 1, 2, 3], [1, 2, 3, 8], 2, 0.75, 0.75],
    [[5, 6, 5, 6], [6, 5, 6, 7], 2, 0.75, 0.75],
    [[], [], 0, 0, 0],
  ];
  for (const [a, b, edit, suffix, rouge] of table) {
    it(`of [${a}] and [${b}] are ${edit}, ${suffix}, ${rouge}`, () => {
      expect([editDistance(a, b), suffixMatch(a, b), rougeL(a, b)]).to.deep.equal([edit, suffix, rouge]);
    });
  }
});

describe("LATR's schedules", () => {
  const mix = [
    { step: 10, ratio: 0.5 },
    { step: 20, ratio: 0 },
  ];
  const table: [step: number, groupSize: number, k: number][] = [
    [0, 8, 0],
    [10, 8, 4],
    [19, 5, 2],
    [19, 7, 4],
    [20, 8, 0],
  ];
  for (const [step, groupSize, k] of table)
    it(`want ${k} of ${groupSize} as a tree at step ${step}`, () => expect(treeRollouts(step, mix, groupSize)).to.equal(k));

  it("end tree mode earlier the longer it lasts", () => {
    const at = (step: number) => returnTarget(100, step, 1000, { returnThreshold: 0.98, returnDecay: 0.1 });
    expect([at(0), at(500), at(1000)]).to.deep.equal([98, 93, 88]);
  });
});

describe("LATR's tree", () => {
  const off = { editThreshold: null, suffixThreshold: null, rougeThreshold: null };
  const fork = [
    { token: 1, prob: 0.4 },
    { token: 2, prob: 0.35 },
  ];
  const sure = [
    { token: 3, prob: 0.9 },
    { token: 4, prob: 0.1 },
  ];
  const isEnd = (token: number) => token === 0;

  it("forks, drops a fork that says the same as its parent, and uses its place again", () => {
    const tree = new Tree(2, isEnd, { ...o, ...off, suffixThreshold: 0.4, lookaheadSteps: [2] });
    tree.grow([fork], [undefined]);
    expect(tree.branches.map(({ tokens }) => tokens)).to.deep.equal([[1], [2]]);
    expect([tree.isFull, tree.isYoung]).to.deep.equal([true, true]);
    tree.grow([sure, sure], [undefined, undefined]);
    expect(tree.branches.map(({ tokens }) => tokens)).to.deep.equal([[1, 3]]);
    expect(tree.pruned).to.equal(1);
    tree.grow([fork], [undefined]);
    expect(tree.branches.map(({ tokens }) => tokens)).to.deep.equal([
      [1, 3, 1],
      [1, 3, 2],
    ]);
  });

  it("gives the children of a removed branch to its parent", () => {
    const tree = new Tree(3, isEnd, { ...o, ...off, editThreshold: 0.6, lookaheadSteps: [2] });
    tree.grow([fork], [undefined]);
    tree.grow(
      [
        sure,
        [
          { token: 3, prob: 0.5 },
          { token: 5, prob: 0.4 },
        ],
      ],
      [undefined, undefined],
    );
    expect(tree.branches.map(({ tokens }) => tokens)).to.deep.equal([
      [1, 3],
      [2, 5],
    ]);
    expect(tree.branches[1]!.parent).to.equal(tree.branches[0]);
  });

  it("keeps a fork that has ended, counts a finished prompt as full, and takes drawn tokens", () => {
    const tree = new Tree(4, isEnd, { ...o, ...off, rougeThreshold: 0, lookaheadSteps: [1] });
    tree.grow([fork], [0]);
    expect(tree.branches.map(({ tokens, finished }) => [tokens[0], finished])).to.deep.equal([
      [0, true],
      [2, false],
    ]);
    tree.grow([sure], [0]);
    expect(tree.weight).to.equal(4);
  });
});

describe("LATR's sampler", () => {
  const collect = async (options: Options, step = 0) => {
    const sampler = instantiate(
      LatrSampler,
      { promptsPerStep: 2, groupSize: 4, shuffle: false, absThreshold: 0.15, relThreshold: 0.25, lookaheadSteps: [9], ...options },
      { facts: { ...NO_RUN, temperature: 0.5 } },
    );
    const context = sampleContext({ state: sampler.initialState(), prompts: 2, maxTokens: 4, step, respond: () => "ttttt" });
    /** Hesitates between a and b at the first token, then says c. */
    const policy = {
      info: { vocabularySize: 128, contextLength: 64 },
      tokenizer: { stopTokens: [0], padToken: 1, decode: (tokens: number[]) => String.fromCharCode(...tokens) },
      score: async (rows: readonly { response: Int32Array }[], { outputs }: { outputs: string[] }) => {
        const tokens = rows.flatMap(({ response }) => [...response]);
        if (outputs.includes("logp")) return { logp: new Float64Array(tokens.length).fill(-5) };
        const first = rows.flatMap(({ response }) => [...response].map((_, t) => t === 0));
        return {
          candidateTokens: Int32Array.from(first.flatMap((start) => (start ? [97, 98] : [99, 100]))),
          candidateProbs: Float64Array.from(first.flatMap((start) => (start ? [0.5, 0.4] : [0.9, 0.05]))),
        };
      },
    } as unknown as typeof context.policy;
    return { ...(await sampler.collect({ ...context, policy })), requests: context.requests };
  };

  it("fills a group with its branches and copies of the first, all tokens trained on", async () => {
    const { groups, metrics } = await collect({ forceReturnStep: 2 });
    expect(groups[0]!.trajectories.map(({ text }) => text)).to.deep.equal(["actt", "bctt", "actt", "actt"]);
    for (const { mask, logp } of groups.flatMap(({ trajectories }) => trajectories)) {
      expect([...mask]).to.deep.equal([1, 1, 1, 1]);
      expect([...logp]).to.deep.equal([-5, -5, -5, -5]);
    }
    expect(metrics).to.include({ treeRollouts: 4, treeTokens: 2, duplicateFraction: 0.5, prunedBranches: 0 });
  });

  it("leaves tree mode when the branches suffice and none is young", async () => {
    const { groups, metrics } = await collect({
      returnThreshold: 0.5,
      returnDecay: 0,
      lookaheadSteps: [2],
      suffixThreshold: null,
      rougeThreshold: null,
    });
    expect(metrics.treeTokens).to.equal(2);
    expect(groups[1]!.trajectories.map(({ text }) => text)).to.deep.equal(["actt", "bctt", "actt", "actt"]);
  });

  it("mixes in ordinary responses by the schedule, and is the ordinary sampler at ratio 0", async () => {
    const mixSchedule = [
      { step: 0, ratio: 0.5 },
      { step: 5, ratio: 0 },
    ];
    const half = await collect({ mixSchedule, forceReturnStep: 9 });
    expect(half.groups[0]!.trajectories.map(({ text }) => text)).to.deep.equal(
      ["actt", "bctt", "tttt", "tttt"].map((t, i) => (i < 2 ? t.slice(0, 2).padEnd(4, "c") : t)),
    );
    expect(half.groups[0]!.trajectories[0]!.temperature).to.equal(0.5);
    const none = await collect({ mixSchedule }, 5);
    expect(none.groups[0]!.trajectories.map(({ text }) => text)).to.deep.equal(["tttt", "tttt", "tttt", "tttt"]);
    expect(none.metrics.treeRollouts).to.equal(0);
  });

  it("starts afresh where a copy could only repeat a whole response", async () => {
    const { groups } = await collect({ forceReturnStep: 9 });
    expect(groups[0]!.trajectories.map(({ text }) => text)).to.deep.equal(["accc", "bccc", "tttt", "tttt"]);
  });

  it("draws the tokens of branches that cannot fork when asked to", async () => {
    const { groups } = await collect({ sampleWhenSingle: "always", forceReturnStep: 2 });
    expect(groups[0]!.trajectories.map(({ text }) => text)).to.deep.equal(["attt", "bttt", "attt", "attt"]);
  });
});
