import {
  ClipGate,
  ConfigError,
  instantiate,
  type Options,
  type Prompt,
  runAdvantage,
  runReward,
  runTerms,
  type Static,
} from "@proximal/core";
import { sampleContext, testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { decay, IcpoAdvantage, IcpoGate, IcpoReward, IcpoSampler } from "../src/index.js";
import type { icpoRewardOptions } from "../src/reward.js";

testVectors(new URL("../../vectors/icpo.json", import.meta.url), conformance);
testTerms("IcpoGate", { component: IcpoGate });
testTerms("IcpoGate, tight clip", { component: IcpoGate, options: { clipLow: 0.05, clipHigh: 0.01, dualClip: 1.1, shapingLambda: 2 } });

describe("ICPO's gate", () => {
  const tokens = { logp: [[-0.3, -2], [-1.5]], oldLogp: [[-0.5, -1], [-1]], advantages: [0.7, -0.4] };

  it("is the dual clip without steered responses", () => {
    const ours = runTerms({ component: IcpoGate }, { ...tokens, hinted: [false, false] });
    const clip = runTerms({ component: ClipGate, options: { dualClip: 3 } }, tokens);
    expect([ours.loss, ours.gradLogp]).to.deep.equal([clip.loss, clip.gradLogp]);
  });

  it("does not look at the old log-probs of steered responses", () => {
    const at = (old: number) => runTerms({ component: IcpoGate }, { logp: [[-1]], oldLogp: [[old]], advantages: [1], hinted: [true] });
    expect(at(-9)).to.deep.equal(at(-0.1));
    expect(at(Number.NaN)).to.deep.equal(at(-0.1));
  });

  const slopes: [probability: number, lambda: number, slope: number][] = [
    [0.1, 0.1, 0.25],
    [1, 0.1, 0.1 / 1.21],
    [0.001, 0.1, (0.1 * 0.001) / 0.101 ** 2],
  ];
  for (const [p, shapingLambda, slope] of slopes) {
    it(`pushes a steered token of probability ${p} with ${slope.toFixed(4)}`, () => {
      const inputs = { logp: [[Math.log(p)]], oldLogp: [[0]], advantages: [1], hinted: [true] };
      const { gradLogp } = runTerms({ component: IcpoGate, options: { shapingLambda } }, inputs);
      expect(-gradLogp[0]![0]!).to.be.closeTo(slope, 1e-12);
    });
  }
});

describe("ICPO's reward", () => {
  const o = (over: object) => ({ bonus: 1, anneal: "linear", annealSteps: 400, ...over }) as Static<typeof icpoRewardOptions>;
  const table: [step: number, options: object, left: number][] = [
    [0, {}, 1],
    [100, {}, 0.75],
    [800, {}, 0],
    [200, { anneal: "cosine" }, 0.5],
    [400, { anneal: "cosine" }, 0],
    [900, { anneal: "cosine" }, 0],
    [50, { anneal: "exp", expScale: 50 }, Math.exp(-1)],
  ];
  for (const [step, options, left] of table) {
    it(`keeps ${left.toFixed(3)} of the bonus at step ${step} ${JSON.stringify(options)}`, () => {
      expect(decay(step, o(options))).to.be.closeTo(left, 1e-15);
    });
  }

  it("gives held-out responses their correctness and unverifiable ones nothing", async () => {
    const inner = { rewards: [1, 0, Number.NaN] };
    expect((await runReward(IcpoReward, {}, { truncated: [0, 0, 0] }, { inner })).rewards).to.deep.equal([1, 0, null]);
  });

  it("refuses exponential annealing without a scale", () => {
    expect(() => instantiate(IcpoReward, { anneal: "exp" })).to.throw(ConfigError, "scale");
  });
});

describe("ICPO's advantage", () => {
  const cases: [title: string, rewards: number[], hinted: number[], options: Options, keep: number[], sign: number[]][] = [
    ["keeps failed responses of its own", [0, 1], [0, 0], {}, [1, 1], [-1, 1]],
    ["keeps a steered response at the threshold", [0, 1], [0, 1], {}, [1, 1], [-1, 1]],
    ["drops failed steered ones out of mean and std", [1, 1, 0], [0, 0, 1], {}, [1, 1, 0], [0, 0, 0]],
    ["keeps them all under a low threshold", [1, 1, 0], [0, 0, 1], { rejectThreshold: 0 }, [1, 1, 1], [1, 1, -1]],
    ["gives 0 to the last response that is kept", [1, 0], [0, 1], {}, [1, 0], [0, 0]],
  ];
  for (const [title, rewards, hinted, options, keep, sign] of cases) {
    it(title, async () => {
      const result = (await runAdvantage(IcpoAdvantage, options, { rewards, hinted })) as Record<string, number[]>;
      expect(result.keep).to.deep.equal(keep);
      expect(result.advantages!.map(Math.sign)).to.deep.equal(sign);
    });
  }
});

describe("ICPO's sampler", () => {
  const prompt = (id: string, fields = {}): Prompt => ({
    id,
    text: id,
    tokens: Int32Array.from(id, (c) => c.charCodeAt(0)),
    golds: ["7"],
    fields,
  });
  const pool = [prompt("a"), prompt("b", { solution: "worked" })];
  const collect = async (options: Options) => {
    const sampler = instantiate(IcpoSampler, {
      promptsPerStep: 2,
      groupSize: 3,
      shuffle: false,
      demonstrationTemplate: "{question}:{solution};",
      ...options,
    });
    const context = sampleContext({ state: sampler.initialState(), prompts: pool });
    const scored: string[] = [];
    const policy = {
      ...context.policy,
      score: async (rows: readonly { prompt: Int32Array; response: Int32Array }[]) => {
        scored.push(...rows.map((row) => String.fromCharCode(...row.prompt)));
        return { logp: new Float64Array(rows.reduce((n, { response }) => n + response.length, 0)).fill(-7) };
      },
    } as unknown as typeof context.policy;
    return { ...(await sampler.collect({ ...context, policy })), requests: context.requests, scored };
  };

  it("samples the last m responses behind another question, and trains them on the plain prompt", async () => {
    const { batch, requests, scored, groups } = await collect({});
    expect(requests.map(({ prompt: { text } }) => text)).to.deep.equal(["a", "a", "b:worked;a", "b", "b", "a:7;b"]);
    expect([...batch.f64("hinted")]).to.deep.equal([0, 0, 1, 0, 0, 1]);
    expect(groups.flatMap(({ trajectories }) => trajectories.map((t) => t.prompt.text))).to.deep.equal(["a", "a", "a", "b", "b", "b"]);
    expect(scored).to.deep.equal(["a", "b"]);
    expect(batch.ragged("oldLogp").map(([first]) => first)).to.deep.equal([-1, -1, -7, -1, -1, -7]);
  });

  it("leaves at least one response plain, and all of them with m = 0", async () => {
    expect([...(await collect({ steeredRollouts: 9 })).batch.f64("hinted")]).to.deep.equal([0, 1, 1, 0, 1, 1]);
    const none = await collect({ steeredRollouts: 0 });
    expect([...none.batch.f64("hinted")]).to.deep.equal([0, 0, 0, 0, 0, 0]);
    expect(none.scored).to.deep.equal([]);
  });
});
