import { type DecodeRequest, type DecodeResult, NumericalError, type ProximalError, Random } from "@proximal/core";
import { expect } from "chai";
import { uniform } from "../../src/index.js";
import { decode, draw, ids, letters, prompts, randomPolicy, referenceDecode, referenceLogits, request, softmax } from "./support.js";

const policy = randomPolicy(1);
const worst = (a: DecodeResult, b: DecodeResult) => Math.max(...a.logp.map((value, i) => Math.abs(value - b.logp[i]!)));

function expectEqual(results: readonly DecodeResult[], expected: readonly DecodeResult[]): void {
  expect(results.map(({ tokens, finish }) => [...tokens, finish])).to.deep.equal(expected.map(({ tokens, finish }) => [...tokens, finish]));
  for (const [i, result] of results.entries()) expect(worst(result, expected[i]!)).to.be.below(1e-4);
}

describe("decode", () => {
  const cases: Record<string, DecodeRequest[]> = {
    "ragged prompts": prompts.map((prompt, key) => request({ prompt, key })),
    "one prompt, several keys": [1, 2, 3].map((key) => request({ key })),
    "a temperature of its own for each row": [0.3, 1, 2.5].map((temperature) => request({ temperature })),
    "greedy rows": prompts.map((prompt) => request({ prompt, greedy: true, temperature: 0.7 })),
    "greedy rows beside sampled ones": [true, false, true].map((greedy, key) => request({ key, greedy })),
    "top-k, top-p and min-p": [
      request({ topK: 3 }),
      request({ topP: 0.6, key: 6 }),
      request({ minP: 0.2, key: 7 }),
      request({ topK: 5, topP: 0.7, minP: 0.05, temperature: 1.5, key: 8 }),
      request({ key: 9 }),
    ],
    "top-k alone": [request({ topK: 1 }), request({ topK: 4, key: 1 }), request({ key: 2 })],
    "lengths of their own": [1, 4, 9].map((maxTokens, key) => request({ maxTokens, key })),
    "stop tokens of their own": [[], [4, 11], [0, 1, 2, 3, 5, 6, 7, 8]].map((stopTokens, key) =>
      request({ stopTokens, key, maxTokens: 9 }),
    ),
    "stop strings of their own": [[], ["itk"], ["xx", "nnb"], ["vmb"]].map((stopStrings, key) =>
      request({ stopStrings, key, maxTokens: 40 }),
    ),
    "stop strings beside stop tokens": [
      request({ stopStrings: ["c", "r"], stopTokens: [4, 9], maxTokens: 30 }),
      request({ stopTokens: [4, 9], maxTokens: 30, key: 6 }),
      request({ stopStrings: ["e"], prefix: ids(4, 4), maxTokens: 30, key: 7 }),
    ],
    "a repetition penalty of its own for each row": [
      request({ repetitionPenalty: 1.5, maxTokens: 20 }),
      request({ repetitionPenalty: 3, maxTokens: 20, prefix: ids(4, 4, 2), key: 6 }),
      request({ repetitionPenalty: 0.5, maxTokens: 20, topK: 6, minP: 0.02, key: 7 }),
      request({ repetitionPenalty: 1.3, maxTokens: 20, greedy: true }),
      request({ maxTokens: 20, key: 8 }),
    ],
    "a repetition penalty over several segments": [
      request({ repetitionPenalty: 1.5, maxTokens: 30, stopStrings: ["zz"] }),
      request({ repetitionPenalty: 2, temperature: 0.6, maxTokens: 30, stopStrings: ["zz"], key: 1 }),
    ],
    "given beginnings": [
      request({ prefix: ids(4, 4, 2) }),
      request({ prefix: ids(4, 4, 2), temperature: 0.5, key: 1 }),
      request({ prefix: ids(9), prompt: prompts[0]!, key: 2 }),
      request({ prefix: ids(), key: 3 }),
      request({ key: 4 }),
    ],
    "a given beginning as long as the response": [request({ prefix: ids(1, 2, 3, 4, 5, 6) }), request({ key: 1 })],
    "a given beginning that ends in a stop token": [
      request({ prefix: ids(1, 2), stopTokens: [2] }),
      request({ prefix: ids(2, 1), stopTokens: [2] }),
    ],
  };
  for (const [name, requests] of Object.entries(cases)) {
    it(`gives the tokens and log-probs of float64 decoding without a cache: ${name}`, async () => {
      expectEqual(
        await decode(policy, requests),
        requests.map((r) => referenceDecode(policy, r)),
      );
    });
  }

  for (const architecture of [
    { vocab_size: 300, model_type: "llama" as const, tie_word_embeddings: false },
    { vocab_size: 131, model_type: "qwen2" as const, num_key_value_heads: 4 },
    { num_key_value_heads: 1, rope_scaling: { rope_type: "linear" as const, factor: 2 } },
  ]) {
    it(`holds for ${JSON.stringify(architecture)}`, async () => {
      const other = randomPolicy(2, architecture);
      const requests = prompts.map((prompt, key) => request({ prompt, key, maxTokens: 4 }));
      expectEqual(
        await decode(other, requests),
        requests.map((r) => referenceDecode(other, r)),
      );
    });
  }

  // 24 rows of which most stop early: several segments, each with fewer rows.
  const many = Array.from({ length: 24 }, (_, key) =>
    request({ prompt: prompts[key % 4]!, key, maxTokens: 20, stopTokens: key % 5 === 0 ? [] : [2, 9, 14, 17] }),
  );

  it("goes on with the unfinished rows alone once finished rows have idled for long, and gives real lengths", async () => {
    const segments: { rows: number; steps: number }[] = [];
    const results = await decode(policy, many, {
      onSegment: (feeds, { tokens }) => segments.push({ rows: feeds.token!.dims[0]!, steps: tokens!.dims[0]! }),
    });
    expect(segments.length).to.be.above(1);
    expect(segments[0]!.rows).to.equal(24);
    for (let i = 1; i < segments.length; i++) expect(segments[i]!.rows).to.be.below(segments[i - 1]!.rows);
    expect(segments.reduce((total, { steps }) => total + steps, 0)).to.equal(20);
    expectEqual(
      results,
      many.map((r) => referenceDecode(policy, r)),
    );
  });

  it("a response of several segments is what one pass over it gives", async () => {
    const long = randomPolicy(3, { max_position_embeddings: 320 });
    const requests = [0, 1].map((key) => request({ prompt: prompts[key]!, key, maxTokens: 300 }));
    const steps: number[] = [];
    const results = await decode(long, requests, { onSegment: (_, { tokens }) => steps.push(tokens!.dims[0]!) });
    expect(steps).to.deep.equal([128, 128, 44]);
    for (const [i, { tokens, logp }] of results.entries()) {
      const { prompt, key, temperature } = requests[i]!;
      const probs = referenceLogits(long, [...prompt, ...tokens])
        .slice(prompt.length - 1, -1)
        .map((z) => softmax(z, temperature));
      expect([...tokens]).to.deep.equal(probs.map((p, t) => draw(p, uniform(key, t))));
      for (const [t, token] of tokens.entries()) expect(logp[t]).to.be.closeTo(Math.log(probs[t]![token]!), 1e-4);
    }
  });

  it("a stop string is found wherever a segment ends, and what was decoded behind it is dropped", async () => {
    // Its letters are the 15th to 17th: the first segment has 16 steps.
    const watched = request({ key: 3, maxTokens: 40, stopStrings: ["vmb"] });
    const unwatched = request({ key: 3, maxTokens: 40 });
    const [[result], [whole]] = [await decode(policy, [watched]), await decode(policy, [unwatched])];
    expect(letters.decode(result!.tokens)).to.match(/vmb$/);
    expect([result!.tokens.length, result!.logp.length, result!.finish]).to.deep.equal([17, 17, "stop"]);
    expect([...whole!.tokens.slice(0, 17)]).to.deep.equal([...result!.tokens]);
  });

  it("stops when every row is finished", async () => {
    let steps = 0;
    const results = await decode(
      policy,
      [0, 1, 2].map((key) => request({ key, maxTokens: 50, stopTokens: Array.from({ length: 12 }, (_, i) => i) })),
      {
        onSegment: (_, { tokens }) => {
          steps += tokens!.dims[0]!;
        },
      },
    );
    expect(steps).to.equal(Math.max(...results.map(({ tokens }) => tokens.length)));
    expect(steps).to.be.below(50);
    for (const { tokens, finish } of results) {
      expect(finish).to.equal("stop");
      expect([...tokens].findIndex((token) => token < 12)).to.equal(tokens.length - 1);
    }
  });

  it("a response depends on its own request alone: not on order, neighbours, padding, batch size or compaction", async () => {
    const together = await decode(policy, many);
    const reversed = (await decode(policy, [...many].reverse())).reverse();
    const batches = await decode(policy, many, { maxRows: 5 });
    const alone = await Promise.all(many.slice(0, 6).map(async (r) => (await decode(policy, [r]))[0]!));
    for (const others of [reversed, batches]) expectEqual(others, together);
    expectEqual(alone, together.slice(0, 6));
  });

  it("more prompts than one prefill takes are prefilled in parts", async () => {
    const random = new Random(8);
    const prompt = () => Int32Array.from({ length: 55 + random.integer(5) }, () => random.integer(policy.config.vocab_size));
    const requests = Array.from({ length: 80 }, (_, key) =>
      request({ prompt: prompt(), key, maxTokens: 3, ...(key % 3 === 0 ? { prefix: ids(key % 7, 4) } : {}) }),
    );
    expectEqual(await decode(policy, requests, { maxRows: 80 }), await decode(policy, requests, { maxRows: 20 }));
    const some = [0, 1, 79];
    expectEqual(
      (await decode(policy, requests, { maxRows: 80 })).filter((_, i) => some.includes(i)),
      some.map((i) => referenceDecode(policy, requests[i]!)),
    );
  });

  it("a given beginning and the same key continue the response they were taken from", async () => {
    const [whole] = await decode(policy, [request({ maxTokens: 10 })]);
    const [continued] = await decode(policy, [request({ maxTokens: 10, prefix: whole!.tokens.slice(0, 4) })]);
    expectEqual([continued!], [whole!]);
  });

  it("repeats bit for bit", async () => {
    const [a, b] = [await decode(policy, many), await decode(policy, many)];
    expect(b).to.deep.equal(a);
  });

  it("equal requests give equal responses, other keys others", async () => {
    const [a, b, c] = await decode(policy, [request({ key: 3 }), request({ key: 3 }), request({ key: 4 })]);
    expect(a!.tokens).to.deep.equal(b!.tokens);
    expect(a!.tokens).to.not.deep.equal(c!.tokens);
  });

  for (const [name, settings] of [
    ["softmax", {}],
    ["softmax at temperature 1.7", { temperature: 1.7 }],
  ] as const) {
    it(`the frequencies of a position's tokens follow the ${name}`, async () => {
      const count = 4000;
      const requests = Array.from({ length: count }, (_, key) => request({ key, maxTokens: 1, ...settings }));
      const results = await decode(policy, requests, { maxRows: 1000 });
      const probs = softmax(referenceLogits(policy, [...prompts[1]!]).at(-1)!, requests[0]!.temperature);
      const counts = probs.map(() => 0);
      for (const { tokens } of results) counts[tokens[0]!]!++;
      const chiSquare = probs.reduce((sum, p, i) => sum + (counts[i]! - count * p) ** 2 / (count * p), 0);
      // 22 degrees of freedom: above 48.3 once in a thousand.
      expect(chiSquare).to.be.below(48.3);
    });
  }

  it("logits that are not finite are an error that names the response", async () => {
    const { parameters, ...other } = randomPolicy(1, { tie_word_embeddings: false });
    const embedding = parameters["model.embed_tokens.weight"]!;
    const data = Float64Array.from(embedding.data);
    data[9 * other.config.hidden_size] = Number.NaN; // token 9, which only the second prompt has
    const broken = { ...other, parameters: { ...parameters, "model.embed_tokens.weight": { ...embedding, data } } };
    const error = await decode(broken, [request({ topK: 3 }), request({ prompt: prompts[3]! })]).catch((e: ProximalError) => e);
    expect(error).to.be.instanceOf(NumericalError);
    expect((error as NumericalError).details.given).to.equal("NaN at token 0 of response 1");
  });

  it("no requests give no results", async () => {
    expect(await decode(policy, [])).to.deep.equal([]);
  });
});
