import type { DecodeRequest, DecodeResult } from "@proximal/core";
import { expect } from "chai";
import { Tensor } from "onnxruntime-node";
import { Homes, KeptSequences } from "../../src/index.js";
import { decode, ids, prompts, randomPolicy, referenceDecode, request as requestOf } from "./support.js";

const request = (overrides: Partial<DecodeRequest> = {}) => requestOf({ prefixLogp: false, ...overrides });

/** The response so far with what the world said, and room for more. */
const goOn = (from: DecodeRequest, { tokens }: DecodeResult, said: number[], more: Partial<DecodeRequest> = {}): DecodeRequest => {
  const prefix = ids(...tokens, ...said);
  return { ...from, prefix, maxTokens: prefix.length + 6, ...more };
};

describe("decoding that goes on from what was kept", () => {
  const llama = randomPolicy(1);
  const policies = {
    "rotated positions": llama,
    "learned positions": randomPolicy(2, {
      model_type: "gpt2",
      hidden_size: 12,
      intermediate_size: 20,
      num_attention_heads: 3,
      num_key_value_heads: 3,
      head_dim: 4,
    }),
  };
  const firsts: Record<string, DecodeRequest[]> = {
    "ragged prompts": prompts.map((prompt, key) => request({ prompt, key })),
    "several responses to a prompt": [1, 2, 3].map((key) => request({ key })),
    "lengths of their own": [1, 4, 9].map((maxTokens, key) => request({ maxTokens, key })),
    "stop tokens and stop strings": [
      request({ stopTokens: [4, 9, 11], maxTokens: 30 }),
      request({ stopStrings: ["c", "r"], maxTokens: 30, key: 6 }),
      request({ prompt: prompts[3]!, stopStrings: ["e", "k"], maxTokens: 30, key: 7 }),
    ],
  };
  const ways: Record<string, (from: DecodeRequest, result: DecodeResult, i: number) => DecodeRequest[]> = {
    "go on behind an answer": (from, result, i) => [goOn(from, result, [i, 7, 2].slice(0, 1 + (i % 3)), { stopTokens: [] })],
    "go on as they are": (from, result) => [goOn(from, result, [], { stopTokens: [], stopStrings: [] })],
    "branch from a cut": (from, result) => {
      const cut = { ...result, tokens: result.tokens.slice(0, Math.ceil(result.tokens.length / 2)) };
      return [100, 101].map((key) => goOn(from, cut, [], { key: key + from.key, stopTokens: [], stopStrings: [] }));
    },
    "go on from other tokens than were sampled": (from, result) => [
      goOn(from, { ...result, tokens: ids(...result.tokens.slice(0, 1), 5, 5) }, [1], { stopTokens: [], stopStrings: [] }),
    ],
    "go on beside new prompts": (from, result, i) => [
      goOn(from, result, [1], { stopTokens: [] }),
      request({ prompt: ids(12, i), key: 50 + i, maxTokens: 4 }),
    ],
  };

  for (const [model, policy] of Object.entries(policies)) {
    for (const [name, first] of Object.entries(firsts)) {
      for (const [way, next] of Object.entries(ways)) {
        it(`${name} ${way}: the responses are those without it (${model})`, async () => {
          const kept = new KeptSequences();
          kept.open("a");
          const began = await decode(policy, first, { kept, maxRows: 3 });
          const requests = began.flatMap((result, i) => next(first[i]!, result, i));
          const went = await decode(policy, requests, { kept });
          const expected = requests.map((one) => referenceDecode(policy, one));
          expect(went.map(({ tokens, finish }) => [...tokens, finish])).to.deep.equal(
            expected.map(({ tokens, finish }) => [...tokens, finish]),
          );
          for (const [i, { logp }] of went.entries()) {
            const given = requests[i]!.prefix?.length ?? 0;
            for (let t = given; t < logp.length; t++) expect(logp[t]).to.be.closeTo(expected[i]!.logp[t]!, 1e-4);
            expect([...logp.subarray(0, given)].every((x) => x === 0)).to.equal(true);
          }
        });
      }
    }
  }

  it("a third turn goes on from the second", async () => {
    const kept = new KeptSequences();
    kept.open("a");
    let requests = prompts.map((prompt, key) => request({ prompt, key }));
    for (let turn = 0; turn < 3; turn++) {
      const results = await decode(llama, requests, { kept });
      const expected = requests.map((one) => referenceDecode(llama, one));
      expect(results.map(({ tokens }) => [...tokens])).to.deep.equal(expected.map(({ tokens }) => [...tokens]));
      requests = requests.map((one, i) => goOn(one, results[i]!, [turn, 11]));
    }
  });

  it("the last of several calls goes on from the others, and is not kept", async () => {
    const kept = new KeptSequences();
    kept.open("a");
    const first = request();
    const [begun] = await decode(llama, [first], { kept });
    const second = goOn(first, begun!, [1]);
    const [ended] = await decode(llama, [second], { kept, last: true });
    expect([...ended!.tokens]).to.deep.equal([...referenceDecode(llama, second).tokens]);
    const known = ids(...first.prompt, ...begun!.tokens);
    expect(kept.find(first.prompt.join(), ids(...first.prompt, ...ended!.tokens))!.length).to.equal(known.length - 1);
  });

  it("no token is computed twice", async () => {
    const kept = new KeptSequences();
    kept.open("a");
    const prefilled: number[] = [];
    const onPrefill = (feeds: Readonly<Record<string, Tensor>>) => prefilled.push(feeds.ids!.dims[1]!);
    const [first] = [request()];
    const [result] = await decode(llama, [first], { kept, onPrefill });
    await decode(llama, [goOn(first, result!, [1, 2, 3])], { kept, onPrefill });
    // The prompt but its last token; the last sampled token, and the answer but its last.
    expect(prefilled).to.deep.equal([5, 3]);
  });
});

describe("what is kept", () => {
  const sequence = (...tokens: number[]) => ({
    tokens: ids(...tokens),
    cache: { "keys.0": new Tensor("float32", new Float32Array(tokens.length), [1, 1, tokens.length, 1]) },
  });
  const foundIn = (kept: KeptSequences, ...tokens: number[]) => kept.find("p", ids(...tokens))?.length;

  it("is the longest beginning, but for the last token of what is asked for", () => {
    const kept = new KeptSequences();
    kept.open("a");
    kept.put("p", 1, sequence(1, 2, 3));
    kept.put("p", 2, sequence(1, 2, 4, 5, 6));
    expect(foundIn(kept, 1, 2, 3, 9)).to.equal(3);
    expect(foundIn(kept, 1, 2, 4, 5)).to.equal(3);
    expect(foundIn(kept, 1, 2, 7, 7)).to.equal(2);
    expect(foundIn(kept, 8, 2)).to.equal(undefined);
    expect(kept.find("q", ids(1, 2, 3, 9))).to.equal(undefined);
  });

  it("is replaced by more of the same response, forgotten with its scope, and bounded", () => {
    const kept = new KeptSequences(5 * Float32Array.BYTES_PER_ELEMENT);
    kept.open("a");
    kept.put("p", 1, sequence(1, 2, 3));
    kept.put("p", 1, sequence(1, 2, 3, 4));
    kept.put("p", 2, sequence(5));
    expect([foundIn(kept, 1, 2, 3, 4, 5), foundIn(kept, 5, 6, 7)]).to.deep.equal([4, 1]);
    kept.put("p", 3, sequence(7, 8));
    expect([foundIn(kept, 1, 2, 3, 4, 5), foundIn(kept, 5, 6, 7), foundIn(kept, 7, 8, 9)]).to.deep.equal([undefined, 1, 2]);
    kept.open("a");
    expect(foundIn(kept, 7, 8)).to.equal(1);
    kept.open("b");
    expect(foundIn(kept, 7, 8)).to.equal(undefined);
    kept.put("p", 2, sequence(5, 6, 7, 8, 9, 10));
    expect(foundIn(kept, 5, 6, 7)).to.equal(undefined);
  });

  it("is with the worker that decoded it", () => {
    const homes = new Homes();
    const requests = Array.from({ length: 8 }, (_, key) => request({ prompt: prompts[key >> 1]!, key }));
    const first = homes.piecesOf(requests, "a", { workers: 2, rows: 64 });
    const home = (key: number) => first.findIndex((piece) => piece.includes(key)) % 2;
    expect(first.flat().sort()).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7]);
    const later = [7, 2, 5].map((key) => request({ prompt: prompts[key >> 1]!, key, prefix: ids(1) }));
    const branch = request({ prompt: prompts[3]!, key: 99, prefix: ids(1) });
    const second = homes.piecesOf([...later, branch], "a", { workers: 2, rows: 2 });
    for (const [i, key] of [7, 2, 5, 7].entries()) expect(second.findIndex((piece) => piece.includes(i)) % 2).to.equal(home(key));
    expect(second.every((piece) => piece.length <= 1)).to.equal(true);
    expect(homes.piecesOf(later, "b", { workers: 2, rows: 64 }).flat().sort()).to.deep.equal([0, 1, 2]);
  });
});
