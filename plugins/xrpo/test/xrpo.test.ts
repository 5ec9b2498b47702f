import { instantiate, type Options, type Prompt, runAdvantage } from "@proximal/core";
import { sampleContext, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { sharpened } from "../src/advantage.js";
import { allocatePhase } from "../src/allocator.js";
import conformance from "../src/conformance.js";
import { nearestSolved, similarity } from "../src/corpus.js";
import { XrpoAdvantage, XrpoSampler } from "../src/index.js";
import type { XrpoState } from "../src/sampler.js";
import { studentCoverage, studentQuantile } from "../src/student.js";

testVectors(new URL("../../vectors/xrpo.json", import.meta.url), conformance);

describe("Student's t", () => {
  const table: [confidence: number, dof: number, t: number][] = [
    [0.95, 1, 12.706204736],
    [0.95, 2, 4.30265273],
    [0.95, 3, 3.182446305],
    [0.95, 10, 2.228138852],
    [0.95, 30, 2.042272456],
    [0.9, 1, 6.313751515],
    [0.99, 4, 4.604094871],
    [0.5, 5, 0.726686844],
  ];
  for (const [confidence, dof, t] of table) {
    it(`covers ${confidence} within ±${t.toFixed(4)} at ${dof} degrees of freedom`, () => {
      expect(studentQuantile(confidence, dof)).to.be.closeTo(t, 1e-8);
      expect(studentCoverage(studentQuantile(confidence, dof), dof)).to.be.closeTo(confidence, 1e-14);
    });
  }
});

describe("XRPO's allocator", () => {
  const o = { explorationWeight: 0.1, confidence: 0.95 };
  const cases: [title: string, rewards: number[][], budget: number, o: typeof o, allocation: number[]][] = [
    [
      "gives nothing without a budget",
      [
        [0, 1],
        [1, 1],
      ],
      0,
      o,
      [0, 0],
    ],
    [
      "shares a tie from the lowest index on",
      [
        [0, 1, 0, 1],
        [1, 0, 1, 0],
      ],
      3,
      o,
      [2, 1],
    ],
    [
      "gives the lowest index everything when neither interval nor bonus acts",
      [
        [1, 1],
        [0, 0],
      ],
      3,
      { ...o, explorationWeight: 0 },
      [3, 0],
    ],
    [
      "follows the bonus alone among constant prompts",
      [
        [1, 1, 1, 1],
        [0, 0],
      ],
      2,
      o,
      [0, 2],
    ],
  ];
  for (const [title, rewards, budget, options, allocation] of cases) {
    it(title, () => expect(allocatePhase(rewards, budget, options).allocation).to.deep.equal(allocation));
  }
});

describe("XRPO's advantage", () => {
  const cases: [title: string, advantage: number, eta: number, expected: number][] = [
    ["raises an unlikely better response", 1, 0.9, 1.25],
    ["by at most κ times the advantage", 1, 0.1, 1.5],
    ["leaves a likely better response", 1, 1.2, 1],
    ["leaves a worse response, however unlikely", -1, 0.1, -1],
    ["leaves 0", 0, 0.1, 0],
  ];
  for (const [title, advantage, eta, expected] of cases) {
    it(title, () => expect(sharpened(advantage, eta, 2.5, 0.5)).to.be.closeTo(expected, 1e-15));
  }

  it("takes a response without tokens out of the group's likelihood and leaves its advantage", async () => {
    const inputs = { rewards: [1, 1, 0], group: [0, 0, 0], oldLogp: [[-1, -3], [], [-1]] };
    const { advantages, novelty } = (await runAdvantage(XrpoAdvantage, {}, inputs)) as Record<"advantages" | "novelty", number[]>;
    expect(novelty).to.deep.equal([Math.exp(-0.5), 1, Math.exp(0.5)]);
    expect(advantages[0]).to.be.above(advantages[1]!);
  });

  it("gives 0 to a response without siblings and to equal rewards", async () => {
    const inputs = { rewards: [1, 1, 1], group: [0, 1, 1], oldLogp: [[-1], [-2], [-1]] };
    expect((await runAdvantage(XrpoAdvantage, {}, inputs)).advantages).to.deep.equal([0, 0, 0]);
  });
});

const prompt = (id: string, text: string): Prompt => ({
  id,
  text,
  tokens: Int32Array.from(text, (c) => c.charCodeAt(0)),
  golds: [],
  fields: {},
});

describe("XRPO's corpus", () => {
  it("finds the most similar other question", () => {
    const corpus = {
      a: { question: "12+34=", answer: "1" },
      b: { question: "what is love", answer: "2" },
      c: { question: "12+35=", answer: "3" },
    };
    expect(nearestSolved(corpus, prompt("a", "12+34="), 1)).to.deep.equal([corpus.c]);
    expect(similarity("abcd", "abcd")).to.be.closeTo(1, 1e-15);
    expect(similarity("abcd", "efgh")).to.equal(0);
  });
});

describe("XRPO's sampler", () => {
  const pool = [prompt("easy", "aa"), prompt("mixed", "bb"), prompt("hard", "aab")];
  const make = (options: Options) =>
    instantiate(XrpoSampler, {
      promptsPerStep: 3,
      shuffle: false,
      baseRollouts: 4,
      rolloutsPerPrompt: 6,
      exampleTemplate: "{question}{answer}",
      ...options,
    });
  const respond = (request: { prompt: Prompt; key?: string }) => {
    if (request.prompt.id === "easy") return "2";
    // The hard prompt is solved only behind an example.
    if (request.prompt.id === "hard") return request.prompt.text === "aab" ? "1" : "4";
    return String(request.key!.charCodeAt(request.key!.length - 1) % 2);
  };
  const contextOf = (state: XrpoState) => {
    const context = sampleContext({ state, prompts: pool, respond });
    const scored: string[] = [];
    const policy = {
      ...context.policy,
      score: async (rows: readonly { prompt: Int32Array; response: Int32Array }[]) => {
        scored.push(...rows.map((row) => String.fromCharCode(...row.prompt)));
        return { logp: new Float64Array(rows.reduce((n, { response }) => n + response.length, 0)).fill(-7) };
      },
    };
    return { context: { ...context, policy: policy as typeof context.policy }, requests: context.requests, scored };
  };

  it("spends the rest of the budget on the uncertain prompt and shows an example to the one that only fails", async () => {
    const sampler = make({ explorationWeight: 0.2 });
    const { context, requests, scored } = contextOf(sampler.initialState());
    const { groups, batch, state, metrics } = await sampler.collect(context);
    expect(requests).to.have.length(18);
    expect(groups.map(({ trajectories }) => trajectories.length).reduce((a, b) => a + b)).to.equal(18);
    expect(groups[1]!.trajectories.length).to.be.above(6);
    const hinted = requests.filter(({ columns }) => columns!.hinted === 1);
    expect(hinted.every(({ prompt: { id } }) => id === "hard")).to.equal(true);
    expect(Object.keys(state.corpus)).to.include.members(["easy", "mixed"]);
    expect(metrics.seededPrompts).to.equal(Math.min(1, hinted.length));
    expect(scored).to.deep.equal(hinted.map(() => "aab"));
    const rows = [...batch.f64("hinted").entries()].filter(([, on]) => on === 1).map(([row]) => row);
    for (const row of rows) {
      expect(batch.trajectories[row]!.prompt.text).to.equal("aab");
      expect([...batch.tokensOf("oldLogp", row)]).to.deep.equal([-7]);
    }
  });

  it("puts the most similar example in front of a hopeless prompt", async () => {
    const sampler = make({ explorationWeight: 50, phases: 2 });
    const { context, requests } = contextOf(sampler.initialState());
    await sampler.collect(context);
    const seeded = requests.filter(({ columns }) => columns!.hinted === 1).map(({ prompt: { text } }) => text);
    expect(seeded.length).to.be.above(0);
    expect(new Set(seeded)).to.deep.equal(new Set(["aa2bb0aab".replace("bb0", `bb${seeded[0]![5]}`)]));
  });

  it("is the uniform sampler with one phase", async () => {
    const sampler = make({ phases: 1 });
    const { context } = contextOf(sampler.initialState());
    const { groups } = await sampler.collect(context);
    expect(groups.map(({ trajectories }) => trajectories.length)).to.deep.equal([6, 6, 6]);
  });
});
