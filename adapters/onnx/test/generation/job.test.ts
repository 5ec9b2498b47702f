import { DataError, type DecodeRequest } from "@proximal/core";
import { expect } from "chai";
import { planBatches } from "../../src/generation/batches.js";
import { packRequests } from "../../src/index.js";
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
  ];
  for (const [name, overrides, message] of refused) {
    it(`refuses ${name} and says which request it was`, () => {
      expect(() => pack({}, overrides)).to.throw(DataError, `decode request 1: ${message}`);
    });
  }

  for (const [name, requests, variant] of [
    ["plain sampling", [{}], { greedy: "none", filtered: false, candidates: 0 }],
    [
      "greedy, whose filters do not matter",
      [{ greedy: true, topK: 3, topP: 0.5, minP: 0.1 }],
      { greedy: "all", filtered: false, candidates: 0 },
    ],
    ["greedy beside sampling", [{ greedy: true }, { topK: 3 }], { greedy: "some", filtered: true, candidates: 3 }],
    ["top-k alone", [{ topK: 3 }, { topK: 5, topP: 0.9 }], { greedy: "none", filtered: true, candidates: 5 }],
    ["top-p over the whole vocabulary", [{ topK: 3 }, { topP: 0.9 }], { greedy: "none", filtered: true, candidates: 50 }],
    ["top-k of more than the vocabulary", [{ topK: 500 }], { greedy: "none", filtered: true, candidates: 50 }],
    ["min-p, which needs no ranking", [{ minP: 0.1 }], { greedy: "none", filtered: true, candidates: 0 }],
    ["filters at their neutral values", [{ topK: 0, topP: 1, minP: 0 }], { greedy: "none", filtered: false, candidates: 0 }],
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
});
