import { instantiate, NO_RUN, type Options, runReward } from "@proximal/core";
import { sampleContext, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { ThymeReward, ThymeRulesReward, ThymeSampler } from "../src/index.js";
import { isRepetitive } from "../src/repetition.js";
import { answerOf, formatOf, matches } from "../src/reward.js";
import { segmentsOf } from "../src/segments.js";

testVectors(new URL("../../vectors/thyme.json", import.meta.url), conformance);

const tags = { codeOpen: "<code>", codeClose: "</code>" };

describe("Thyme's segments", () => {
  const table: [text: string, segments: string[]][] = [
    ["", []],
    ["plain", ["text:plain"]],
    ["a<code>b", ["text:a<code>", "code:b"]],
    ["a<code>", ["text:a<code>"]],
    ["<code></code>z", ["text:<code>", "code:</code>", "text:z"]],
    ["a<sandbox_output>b", ["text:a", "sandbox:<sandbox_output>b"]],
    ["<sandbox_output>1</sandbox_output><code>x</code>", ["sandbox:<sandbox_output>1</sandbox_output>", "text:<code>", "code:x</code>"]],
    ["a</code>b", ["text:a</code>b"]],
    ["<code>'<sandbox_output>'</code>", ["text:<code>", "code:'<sandbox_output>'</code>"]],
  ];
  for (const [text, segments] of table) {
    it(`of ${JSON.stringify(text)} are ${segments.length}`, () => {
      expect(segmentsOf(text, tags).map(({ kind, start, end }) => `${kind}:${text.slice(start, end)}`)).to.deep.equal(segments);
    });
  }
});

describe("Thyme's reward", () => {
  const good = "<think>2+2 is 4</think> <answer>4</answer>";

  it("knows the format", () => {
    const table: [text: string, ok: number][] = [
      [good, 1],
      [`${good} `, 0],
      ["<think>a</think><answer>b</answer>", 0],
      ["<think>a</think>\n<answer>b</answer>", 1],
      ["<think>a</think>  <answer>b</answer>", 0],
      ["<think>a<think>b</think> <answer>c</answer>", 0],
      [`${good}<answer>5</answer>`, 0],
    ];
    expect(table.map(([text]) => formatOf(text))).to.deep.equal(table.map(([, ok]) => ok));
  });

  it("matches options, numbers and texts", () => {
    const table: [answer: string, gold: string, same: boolean][] = [
      ["(B)", "b", true],
      ["B.", "(b)", true],
      ["4.0", "4", true],
      ["Red", "red", true],
      ["", "0", false],
      ["4", "5", false],
    ];
    for (const [answer, gold, same] of table) expect(matches(answer, gold), `${answer} ${gold}`).to.equal(same);
    expect(answerOf("<answer>a</answer><answer> b </answer>")).to.equal("b");
    expect(answerOf("a")).to.equal(null);
  });

  it("asks the judge where the answer does not match, and for consistency where it is right", async () => {
    const asked: string[] = [];
    const judge = async (requests: readonly { completion: string; rubric?: string }[]) => {
      asked.push(...requests.map(({ completion, rubric }) => `${rubric!.includes("follow") ? "follows" : "same"}: ${completion}`));
      return requests.map(({ completion }) => (completion === "seven" ? null : completion.includes("four") ? 0.9 : 0.2));
    };
    const completions = [good, "<think>x</think> <answer>four</answer>", "<answer>seven</answer>", "no answer"];
    const inputs = { completions, prompts: ["q", "q", "q", "q"], golds: completions.map(() => ["4"]) };
    const { rewards } = await runReward(ThymeReward, {}, inputs, { services: { judge } });
    expect(rewards).to.deep.equal([1.5, 2, 0, 0]);
    expect(asked).to.deep.equal([
      "same: four",
      "same: seven",
      "follows: <think>2+2 is 4</think> \nFinal answer: 4",
      "follows: <think>x</think> \nFinal answer: four",
    ]);
  });

  it("does without a judge on exact matches, and gives null without an accepted answer", async () => {
    const inputs = { completions: [good, "<answer>5</answer>", good], golds: [["4"], ["4"], []] };
    expect((await runReward(ThymeRulesReward, {}, inputs)).rewards).to.deep.equal([1.5, 0, null]);
  });
});

describe("the repetition guard", () => {
  it("fires when one substring covers more than its share", () => {
    expect(isRepetitive("ababababab", 2, 0.5)).to.equal(true);
    expect(isRepetitive("abcdefghij", 2, 0.1)).to.equal(false);
    expect(isRepetitive("abxxxxabyyyy", 2, 0.5)).to.equal(false);
    expect(isRepetitive("abc", 3, 0.5)).to.equal(false);
  });
});

describe("Thyme's sampler", () => {
  const script = "add<code>print(40+2)</code>so<answer>42</answer>left over";
  const collect = async (text: string, options: Options = {}, maxTokens = 200) => {
    const sampler = instantiate(
      ThymeSampler,
      { promptsPerStep: 1, groupSize: 2, chunkTokens: 7, repetitionShare: 1, ...options },
      { facts: { ...NO_RUN, temperature: 0.5 } },
    );
    const context = sampleContext({
      state: sampler.initialState(),
      prompts: 1,
      maxTokens,
      // What comes next in the script, whatever was inserted so far.
      respond: ({ prefix }) =>
        text.slice(String.fromCharCode(...(prefix ?? [])).replace(/<sandbox_output>.*?<\/sandbox_output>/gs, "").length),
    });
    const generate: typeof context.generate = async (requests) =>
      (await context.generate(requests)).map((trajectory, i) => ({
        ...trajectory,
        finish: trajectory.tokens.length < requests[i]!.prefix!.length + requests[i]!.maxTokens! ? "stop" : "length",
      }));
    const policy = {
      ...context.policy,
      tokenizer: {
        encode: (part: string) => Int32Array.from(part, (c) => c.charCodeAt(0)),
        decode: (tokens: ArrayLike<number>) => String.fromCharCode(...Array.from(tokens)),
      },
      score: async (rows: readonly { response: Int32Array }[]) => ({
        logp: new Float64Array(rows.reduce((n, r) => n + r.response.length, 0)).fill(-3),
      }),
    } as unknown as typeof context.policy;
    return { ...(await sampler.collect({ ...context, generate, policy })), requests: context.requests };
  };

  it("runs the code, inserts its output untrained and ends at the answer", async () => {
    const { batch, requests } = await collect(script);
    const [response] = batch.trajectories;
    expect(response!.text).to.equal("add<code>print(40+2)</code><sandbox_output>42</sandbox_output>so<answer>42</answer>");
    const trained = segmentsOf(response!.text, tags).flatMap(({ start, end, trained: own }) =>
      new Array<number>(end - start).fill(Number(own)),
    );
    expect([...response!.mask]).to.deep.equal(trained);
    expect([...response!.logp]).to.deep.equal(trained.map((own) => (own ? -3 : 0)));
    expect([response!.finish, response!.temperature]).to.deep.equal(["stop", 0.5]);
    expect([...batch.f64("keep")]).to.deep.equal([1, 1]);
    for (const { prefix, greedy, temperature } of requests) {
      const before = String.fromCharCode(...prefix!);
      const inCode = before.includes("<code>") && !before.includes("</code>");
      expect([greedy, temperature]).to.deep.equal(inCode ? [true, undefined] : [undefined, 1]);
    }
  });

  it("samples code too when its temperature is above 0", async () => {
    const { requests } = await collect(script, { codeTemperature: 0.3 });
    expect(new Set(requests.map(({ temperature }) => temperature))).to.deep.equal(new Set([1, 0.3]));
  });

  it("takes out of the update what has no end: the limit, too many rounds, loops", async () => {
    const cut = await collect(script, {}, 20);
    expect([...cut.batch.f64("keep")]).to.deep.equal([0, 0]);
    expect(cut.batch.trajectories[0]!.tokens.length).to.equal(20);
    const rounds = await collect("<code>1</code><code>2</code><code>3</code>", { maxRounds: 2 });
    expect(rounds.batch.trajectories[0]!.text).to.match(/<code>2<\/code><sandbox_output>2<\/sandbox_output>$/);
    expect([...rounds.batch.f64("keep")]).to.deep.equal([0, 0]);
    const loop = await collect("ha".repeat(90), { repetitionShare: 0.5, repetitionLength: 4 });
    expect(loop.batch.trajectories[0]!.tokens.length).to.be.below(20);
    expect([...(await collect(script, { maskTruncated: false }, 20)).batch.f64("keep")]).to.deep.equal([1, 1]);
  });
});
