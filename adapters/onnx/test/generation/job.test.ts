import { DataError, type DecodeRequest } from "@proximal/core";
import { expect } from "chai";
import { planBatches } from "../../src/generation/batches.js";
import { positionsFor } from "../../src/generation/index.js";
import { packRequests, rowsThatFit } from "../../src/index.js";
import { completeConfig } from "../../src/model/index.js";
import { ids } from "./support.js";

const limits = { vocabularySize: 50, contextLength: 20, stopTokens: [7] };
const request = (overrides: Partial<DecodeRequest> = {}): DecodeRequest => ({
  prompt: ids(1, 2, 3),
  key: 0,
  maxTokens: 4,
  temperature: 1,
  ...overrides,
});
const pack = (...requests: Partial<DecodeRequest>[]) => packRequests(requests.map(request), limits);

describe("decode requests", () => {
  const refused: readonly [string, Partial<DecodeRequest>, string][] = [
    ["an empty prompt", { prompt: ids() }, "the prompt is empty"],
    ["a token beyond the vocabulary", { prompt: ids(1, 50) }, "a token is not in the vocabulary"],
    ["a negative token in the given beginning", { prefix: ids(-1) }, "a token is not in the vocabulary"],
    ["no tokens to decode", { maxTokens: 0 }, "maxTokens"],
    ["a beginning longer than the response", { prefix: ids(1, 1, 1, 1, 1) }, "the prefix is longer than maxTokens"],
    ["a response beyond the context", { maxTokens: 18 }, "prompt and response do not fit the model's context"],
    ["temperature 0", { temperature: 0 }, "temperature"],
    ["a fractional top-k", { topK: 1.5 }, "topK"],
    ["top-p 0", { topP: 0 }, "topP"],
    ["min-p above 1", { minP: 1.1 }, "minP"],
    ["a repetition penalty of 0", { repetitionPenalty: 0 }, "repetitionPenalty"],
    ["an empty stop string", { stopStrings: ["end", ""] }, "a stop string is empty"],
  ];
  for (const [name, overrides, message] of refused) {
    it(`refuses ${name} and says which request it was`, () => {
      expect(() => pack({}, overrides)).to.throw(DataError, `decode request 1: ${message}`);
    });
  }

  for (const [name, requests, variant] of [
    ["plain sampling", [{}], { greedy: "none", filtered: false, candidates: 0, penalised: false }],
    [
      "greedy, whose filters do not matter",
      [{ greedy: true, topK: 3, topP: 0.5, minP: 0.1 }],
      { greedy: "all", filtered: false, candidates: 0, penalised: false },
    ],
    ["greedy beside sampling", [{ greedy: true }, { topK: 3 }], { greedy: "some", filtered: true, candidates: 3, penalised: false }],
    ["top-k alone", [{ topK: 3 }, { topK: 5, topP: 0.9 }], { greedy: "none", filtered: true, candidates: 5, penalised: false }],
    ["top-p over the whole vocabulary", [{ topK: 3 }, { topP: 0.9 }], { greedy: "none", filtered: true, candidates: 50, penalised: false }],
    ["top-k of more than the vocabulary", [{ topK: 500 }], { greedy: "none", filtered: true, candidates: 50, penalised: false }],
    ["min-p, which needs no ranking", [{ minP: 0.1 }], { greedy: "none", filtered: true, candidates: 0, penalised: false }],
    [
      "a repetition penalty, which holds for greedy rows too",
      [{ greedy: true, repetitionPenalty: 1.2 }],
      { greedy: "all", filtered: false, candidates: 0, penalised: true },
    ],
    [
      "filters at their neutral values",
      [{ repetitionPenalty: 1, topK: 0, topP: 1, minP: 0 }],
      { greedy: "none", filtered: false, candidates: 0, penalised: false },
    ],
  ] as const) {
    it(`the graph has just the parts for ${name}`, () => {
      expect(pack(...requests).variant).to.deep.equal(variant);
    });
  }
});

describe("batches of a decode job", () => {
  const shape = (job: Parameters<typeof planBatches>[0], maxRows: number) =>
    planBatches(job, maxRows).map(({ sequences, rows }) => ({
      prompts: sequences.map(({ tokens }) => [...tokens].join(" ")),
      rows: rows.map(({ index, sequence }) => `${index}:${sequence}`).join(" "),
    }));

  for (const [what, lengths, context, positions] of [
    ["the least that a graph is made for", [[3, 4]], 8192, 256],
    [
      "the next power of two of the longest",
      [
        [3, 4],
        [200, 100],
      ],
      8192,
      512,
    ],
    ["a power of two as it is", [[500, 12]], 8192, 512],
    ["the context where that is less", [[600, 100]], 800, 800],
  ] as const) {
    it(`take graphs of as many positions as ${what}`, () => {
      const given = lengths.map(([prompt, maxTokens]) => request({ prompt: new Int32Array(prompt), maxTokens }));
      expect(positionsFor(given, context)).to.equal(positions);
    });
  }

  it("prefill each distinct beginning once, short ones first", () => {
    const [a, b] = [{ prompt: ids(1, 2, 3) }, { prompt: ids(4) }];
    expect(shape(pack(a, b, a, b, a), 8)).to.deep.equal([{ prompts: ["4", "1 2 3"], rows: "1:0 3:0 0:1 2:1 4:1" }]);
  });

  it("are about equally large", () => {
    const rows = shape(pack(...Array.from({ length: 10 }, () => ({}))), 4).map((batch) => batch.rows.split(" ").length);
    expect(rows).to.deep.equal([3, 3, 4]);
  });

  it("tell apart a prompt from a prompt with a given beginning, and given beginnings at different temperatures", () => {
    const given = { prompt: ids(1), prefix: ids(2) };
    const job = pack({ prompt: ids(1, 2) }, given, { ...given, temperature: 2 }, { prompt: ids(1, 2), temperature: 2 }, given);
    expect(shape(job, 8)).to.deep.equal([{ prompts: ["1 2", "1 2", "1 2"], rows: "0:0 3:0 1:1 4:1 2:2" }]);
  });

  it("hold as many rows as keep the keys and values within 1 GB", () => {
    const config = completeConfig({
      model_type: "llama",
      vocab_size: 50,
      hidden_size: 576,
      intermediate_size: 8,
      num_hidden_layers: 30,
      num_attention_heads: 9,
      num_key_value_heads: 3,
      max_position_embeddings: 2048,
      rope_theta: 10_000,
      rms_norm_eps: 1e-6,
      tie_word_embeddings: true,
      initializer_range: 0.02,
    });
    const long = packRequests([request(), request({ prompt: new Int32Array(40), maxTokens: 472 })], { ...limits, contextLength: 2048 });
    // 2 · 30 layers · 3 heads · 64 · 4 bytes = 46,080 bytes a token, 512 tokens.
    expect(rowsThatFit(config, long)).to.equal(42);
  });
});
