import { type GenerateRequest, type Inputs, instantiate, type Options, runAdvantage } from "@proximal/core";
import { sampleContext, testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { downSampled, EapoAdvantage } from "../src/advantage.js";
import conformance from "../src/conformance.js";
import { handedOn } from "../src/episode.js";
import { RoundGate } from "../src/gate.js";
import { RoundSampler } from "../src/sampler.js";

testVectors(new URL("../../vectors/eapo.json", import.meta.url), conformance);
testTerms("RoundGate", { component: RoundGate, options: { clipLow: 0.1, clipHigh: 0.2 } });

const rounds = { at: "row", dtype: "i32" } as const;
const estimate = async (inputs: Inputs, options: Options = {}) =>
  (await runAdvantage(EapoAdvantage, options, inputs, { specs: { rounds } })) as unknown as Record<
    "advantages" | "keep" | "roundRewards",
    number[]
  >;

describe("EAPO's round rewards", () => {
  const rows: Inputs = { rewards: [1, 1, 1, 1], turn: [0, 1, 2, 0], rounds: [3, 3, 3, 1] };

  it("are discounted by the rounds that follow", async () => {
    expect((await estimate(rows, { gamma: 0.5 })).roundRewards).to.deep.equal([0.25, 0.5, 1, 1]);
  });

  it("can give early rounds of a long success a negative advantage", async () => {
    const { advantages } = await estimate(rows, { gamma: 0.5 });
    expect(advantages[0]).to.be.below(0);
    expect(advantages[3]).to.be.above(0);
  });

  it("are all alike, without an advantage, at gamma 1", async () => {
    expect((await estimate(rows, { gamma: 1 })).advantages).to.deep.equal([0, 0, 0, 0]);
  });

  it("are 0 after a forced stop", async () => {
    const finished = [0, 0, 0, 1];
    const result = await runAdvantage(
      EapoAdvantage,
      { gamma: 0.5 },
      { ...rows, finished },
      { specs: { rounds, finished: { at: "row", dtype: "bool" } } },
    );
    expect(result.roundRewards).to.deep.equal([0, 0, 0, 1]);
  });

  it("of a question with a single round have no advantage", async () => {
    expect((await estimate({ rewards: [1], turn: [0], rounds: [1] })).advantages).to.deep.equal([0]);
  });

  for (const [count, workers, kept] of [
    [37, 8, 32],
    [8, 8, 8],
    [7, 8, 0],
    [5, 1, 5],
  ] as const) {
    it(`keep ${kept} of ${count} rounds for ${workers} workers`, () => expect(downSampled(count, workers)).to.equal(kept));
  }

  it("leave rounds out at random, but the same for the same seed", async () => {
    const first = await estimate(rows, { workers: 3 });
    expect(first.keep.filter(Boolean)).to.have.length(3);
    expect((await estimate(rows, { workers: 3 })).keep).to.deep.equal(first.keep);
  });
});

describe("EAPO's rounds", () => {
  const format = { reportStart: "<r>", reportEnd: "</r>", roundTemplate: "{question}|{report}|{action}" };

  const texts: [text: string, handed: ReturnType<typeof handedOn>][] = [
    ["think <r> so far </r> look up", { report: "so far", action: "look up" }],
    ["42", null],
    ["<r> cut", null],
    ["</r> <r>", null],
  ];
  for (const [text, handed] of texts) {
    it(`${JSON.stringify(text)} ${handed === null ? "ends the episode" : "goes on"}`, () =>
      expect(handedOn(text, format)).to.deep.equal(handed));
  }

  /** Writes reports until the prompt names as many as the episode's first character asks for. */
  const respond = ({ prompt, key = "" }: GenerateRequest): string => {
    const written = prompt.text.split("|")[1] ?? "";
    const wanted = Number(key.split("/")[1]);
    return written.length < wanted ? `<r>${written}x</r>go` : "2";
  };
  const sampler = instantiate(RoundSampler, { ...format, groupSize: 3, promptsPerStep: 1, maxRounds: 3, shuffle: false });
  const specs = {
    rounds,
    finished: { at: "row", dtype: "bool" },
    episode: { at: "row", dtype: "i32" },
  } as const;
  const contextOf = () => sampleContext({ state: sampler.initialState(), respond, maxTokens: 32, specs });

  it("see the question and the report alone, each a row with its episode's reward", async () => {
    const context = contextOf();
    const { batch, groups, metrics } = await sampler.collect(context);
    expect(context.requests.map(({ prompt }) => prompt.text)).to.deep.equal(["p0", "p0", "p0", "p0|x|go", "p0|x|go", "p0|xx|go"]);
    expect([...batch.i32("episode")]).to.deep.equal([0, 1, 1, 2, 2, 2]);
    expect([...batch.i32("turn")]).to.deep.equal([0, 0, 1, 0, 1, 2]);
    expect([...batch.i32("rounds")]).to.deep.equal([1, 2, 2, 3, 3, 3]);
    expect([...batch.f64("rewards")]).to.deep.equal([1, 1, 1, 1, 1, 1]);
    expect([...batch.f64("finished")]).to.deep.equal([1, 1, 1, 1, 1, 1]);
    expect(batch.groups).to.equal(1);
    expect(groups[0]!.trajectories).to.have.length(6);
    expect(metrics).to.deep.equal({ episodes: 3, stoppedEpisodes: 0 });
  });

  it("stop at maxRounds without an answer", async () => {
    const short = instantiate(RoundSampler, { ...format, groupSize: 3, promptsPerStep: 1, maxRounds: 2 });
    const { batch, metrics } = await short.collect(contextOf());
    expect([...batch.f64("finished")]).to.deep.equal([1, 1, 1, 0, 0]);
    expect(metrics).to.deep.equal({ episodes: 3, stoppedEpisodes: 1 });
  });
});
