import { instantiate, NO_RUN, type SampleContext, type Services, type Tokenizer } from "@proximal/core";
import { sampleContext } from "@proximal/core/testing";
import { expect } from "chai";
import { evaluateByJudge, evaluateBySignals } from "../src/evaluator.js";
import { type RoundState, TpJudgeSampler, TpSampler } from "../src/sampler.js";
import { segments, tokenLengths } from "../src/segments.js";
import type { Span } from "../src/thoughts.js";

const cut = { stepDelimiter: "\n\n", thinkEnd: "</think>" };
const characters: Pick<Tokenizer, "decode"> = { decode: (tokens) => String.fromCharCode(...Array.from(tokens)) };
const codes = (text: string) => Int32Array.from(text, (c) => c.charCodeAt(0));

describe("TP-GRPO's segments", () => {
  const cases: [text: string, parts: string[]][] = [
    ["a\n\nb\n\nc</think>42", ["a\n\n", "b\n\n", "c</think>", "42"]],
    ["a\n\nb", ["a\n\n", "b"]],
    ["a</think>", ["a</think>", ""]],
    ["</think>7", ["</think>", "7"]],
    ["42", ["42"]],
    ["", [""]],
  ];
  for (const [text, parts] of cases) {
    it(`of ${JSON.stringify(text)} are ${JSON.stringify(parts)}`, () => {
      expect(segments(text, cut)).to.deep.equal(parts);
      expect(tokenLengths(parts, codes(text), characters)).to.deep.equal(parts.map((part) => part.length));
    });
  }

  it("take tokens of several characters by their last one, and the stop token into the last segment", () => {
    const words = ["ab", "c\n", "\nde", "f", ""];
    const tokenizer = { decode: (tokens: ArrayLike<number>) => Array.from(tokens, (t) => words[t]).join("") };
    expect(tokenLengths(["abc\n\n", "def"], Int32Array.of(0, 1, 2, 3, 4), tokenizer)).to.deep.equal([2, 3]);
  });
});

describe("TP-GRPO's labels", () => {
  const label = (parts: string[], isRight: boolean) => evaluateBySignals([{ prompt: "?", segments: parts, isRight }]);

  it("blame the step before a self-reflection of a right solution", async () => {
    expect(await label(["2+2=5\n\n", "Wait, that is off.\n\n", "4\n\n", "4"], true)).to.deep.equal([
      ["incorrect", "correct", "correct", "correct"],
    ]);
  });

  it("match the steps of a wrong solution that name its answer", async () => {
    expect(await label(["it is 5\n\n", "or 6?\n\n", "5"], false)).to.deep.equal([["matched", "uncertain", "matched"]]);
    expect(await label(["x\n\n", ""], false)).to.deep.equal([["uncertain", "matched"]]);
  });

  it("come from a judge's grades, where an unanswered question blames nothing", async () => {
    const asked: string[] = [];
    const evaluate = evaluateByJudge(async (requests) => {
      asked.push(...requests.map(({ completion }) => completion));
      return [0.2, null, 0.9, null];
    });
    const right = { prompt: "?", segments: ["a", "b", "4"], isRight: true };
    const wrong = { prompt: "?", segments: ["c", "d", "5"], isRight: false };
    const answerOnly = { prompt: "?", segments: ["5"], isRight: true };
    expect(await evaluate([right, answerOnly, wrong])).to.deep.equal([
      ["incorrect", "correct", "correct"],
      ["correct"],
      ["matched", "uncertain", "matched"],
    ]);
    expect(asked).to.deep.equal(["a", "b", "c", "d"]);
  });
});

describe("TP-GRPO's rounds", () => {
  const options = { groupSize: 2, promptsPerStep: 2, stepsPerRound: 3, shuffle: false, stepDelimiter: "," };
  const facts = { ...NO_RUN, totalSteps: 5 };
  const contextOf = (state: RoundState, step: number) => {
    const context = sampleContext({
      state,
      step,
      prompts: 4,
      maxTokens: 16,
      respond: (_, random) => `${random.integer(10)},wait,${random.integer(10)}`,
      specs: { steps: { at: "row", dtype: "json" } },
    });
    const policy = { ...context.policy, tokenizer: characters } as SampleContext["policy"];
    const services = { judge: async (requests: readonly unknown[]) => requests.map(() => 0) } as unknown as Services;
    return { ...context, policy, services };
  };

  it("are sampled once, labelled, and served step by step until the run ends", async () => {
    const sampler = instantiate(TpSampler, options, { facts });
    let state = sampler.initialState();
    const generated: number[] = [];
    const seen: string[] = [];
    for (let step = 0; step < 5; step++) {
      const context = contextOf(state, step);
      const result = await sampler.collect(context);
      generated.push(context.requests.length);
      expect(result.metrics).to.deep.equal({ age: step % 3 });
      expect(result.batch.rows).to.equal(4);
      const lengths = result.batch.json<Span[]>("steps").map((steps) => steps.map(({ length }) => length));
      expect(lengths).to.deep.equal(new Array(4).fill([2, 5, 1]));
      seen.push(...result.groups.map(({ prompt }) => prompt.id));
      state = structuredClone(result.state);
    }
    expect(generated).to.deep.equal([12, 0, 0, 8, 0]);
    expect(seen).to.deep.equal(["p0", "p1", "p2", "p3", "p0", "p1", "p2", "p3", "p0", "p1"]);
  });

  it("may be labelled by a judge", async () => {
    const sampler = instantiate(TpJudgeSampler, { ...options, stepsPerRound: 1 }, { facts });
    const { batch } = await sampler.collect(contextOf(sampler.initialState(), 0));
    const rewards = batch.f64("rewards");
    batch.json<Span[]>("steps").forEach((steps, row) => {
      const right = rewards[row]! > 0;
      const [thinking, answer] = right ? ["incorrect", "correct"] : ["uncertain", "matched"];
      expect(steps.map(({ label }) => label)).to.deep.equal([thinking, thinking, answer]);
    });
  });
});
