import { instantiate, type Options, type Prompt } from "@proximal/core";
import { sampleContext, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { GhpoSampler } from "../src/index.js";
import { hintLength } from "../src/refine.js";

testVectors(new URL("../../vectors/ghpo.json", import.meta.url), conformance);

describe("GHPO's hint", () => {
  const table: [length: number, ratio: number, shown: number][] = [
    [10, 0.25, 2],
    [6, 0.25, 2],
    [14, 0.25, 4],
    [33, 0.5, 16],
    [35, 0.5, 18],
    [1, 0.25, 0],
    [0, 0.75, 0],
  ];
  for (const [length, ratio, shown] of table) {
    it(`of ratio ${ratio} shows ${shown} of ${length} characters`, () => expect(hintLength(length, ratio)).to.equal(shown));
  }
});

describe("GHPO's stages", () => {
  const wrong = [0, 0];
  const right = [1, 0];
  const cases: [title: string, stageRewards: (number[] | null)[][], solution: number, options: Options, stage: number, kept: number[]][] = [
    ["leave a solved group alone", [[right], [[1, 1]], [null], [null]], 8, {}, 0, right],
    ["keep a group without reference solution as it is", [[wrong], [right], [null], [null]], 0, {}, 0, wrong],
    ["stop at the first success", [[wrong], [right], [[1, 1]], [null]], 8, {}, 1, right],
    ["keep what the last stage gave, all wrong or not", [[wrong], [wrong], [wrong], [[0, -1]]], 8, {}, 3, [0, -1]],
    ["count a reward at the threshold as wrong", [[[0.5, 0]], [right], [null], [null]], 8, { correctThreshold: 0.5 }, 1, right],
    ["end with the ratios that are given", [[wrong], [wrong]], 8, { hintRatios: [0.4] }, 1, wrong],
  ];
  for (const [title, stageRewards, solution, options, stage, kept] of cases) {
    it(title, async () => {
      const result = (await conformance.sampler!(options, { stageRewards, solutionLength: [solution] })) as Record<string, unknown[]>;
      expect(result.stage).to.deep.equal([stage]);
      expect(result.rewardsByPrompt).to.deep.equal([kept]);
    });
  }
});

describe("GHPO's sampler", () => {
  const prompt = (id: string, solution?: unknown): Prompt => ({
    id,
    text: id,
    tokens: Int32Array.from(id, (c) => c.charCodeAt(0)),
    golds: [],
    fields: { solution },
  });
  const pool = [prompt("a"), prompt("b", "12345678"), prompt("c", "87654321"), prompt("d", "55555555")];
  /** Even = right: a never, b behind half of its solution, c at once, d never. */
  const respond = ({ prompt: { id, text } }: { prompt: Prompt }) => (id === "c" || (id === "b" && text.includes("1234")) ? "2" : "1");
  const run = (options: Options, step = 0) => {
    const sampler = instantiate(GhpoSampler, { promptsPerStep: 4, groupSize: 3, shuffle: false, connector: "|", ...options });
    const context = sampleContext({ state: sampler.initialState(), prompts: pool, respond, step });
    return { context, result: sampler.collect(context) };
  };

  it("samples failed groups anew behind growing hints and trains them on that prompt", async () => {
    const { context, result } = run({});
    const { batch, groups, metrics } = await result;
    expect(groups.map(({ trajectories }) => trajectories[0]!.prompt.text)).to.deep.equal(["a", "b|1234", "c", "d|555555"]);
    expect(groups.map(({ prompt: { text } }) => text)).to.deep.equal(["a", "b", "c", "d"]);
    expect([...batch.i32("stage")]).to.deep.equal([0, 0, 0, 2, 2, 2, 0, 0, 0, 3, 3, 3]);
    expect([...batch.f64("hinted")]).to.deep.equal([0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1]);
    expect([...batch.f64("rewards")]).to.deep.equal([0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
    expect(context.requests.length).to.equal(3 * (4 + 2 + 2 + 1));
    expect(new Set(context.requests.map(({ prompt: { id, text }, key }) => `${id}/${text}/${key}`)).size).to.equal(context.requests.length);
    expect(metrics).to.deep.equal({ hardFraction: 0.75, refinedFraction: 0.5, stage: 2.5, solvedByHint: 0.5 });
  });

  it("gives no hint before its first step", async () => {
    const { batch } = await run({ startHintStep: 3 }, 2).result;
    expect([...batch.i32("stage")]).to.deep.equal(new Array(12).fill(0));
  });

  it("cuts a refined prompt from the left", async () => {
    const { groups } = await run({ maxPromptLength: 4 }).result;
    expect(String.fromCharCode(...groups[1]!.trajectories[0]!.prompt.tokens)).to.equal("1234");
  });

  it("refuses a reference solution that is no text", async () => {
    const sampler = instantiate(GhpoSampler, { promptsPerStep: 1, groupSize: 2 });
    const context = sampleContext({ state: sampler.initialState(), prompts: [prompt("x", 7)], respond: () => "1" });
    await sampler.collect(context).then(
      () => expect.fail("no error"),
      (error: Error) => expect(error.message).to.contain('"solution"'),
    );
  });
});
