import { DataError, type DecodeRequest } from "@proximal/core";
import { expect } from "chai";
import { openPolicy, updateRequest } from "../update/policy.js";
import { clipGate, programOf, sampleBatch, tinyConfig } from "../update/support.js";
import { ids } from "./support.js";

const config = tinyConfig({ initializer_range: 0.8 });
const requests: DecodeRequest[] = Array.from({ length: 12 }, (_, key) => ({
  prompt: [ids(3), ids(1, 2, 3, 4, 5, 6), ids(7, 8)][key % 3]!,
  key,
  maxTokens: 10,
  temperature: 0.8,
  stopTokens: [5],
}));

describe("policies that decode and score", () => {
  const rowsOf = (results: readonly { tokens: Int32Array }[]) =>
    results.map(({ tokens }, i) => ({ prompt: requests[i]!.prompt, response: tokens }));

  for (const [name, settings] of [
    ["sampled", {}],
    ["filtered", { topK: 4, topP: 0.8, minP: 0.05 }],
    ["partly given", { prefix: ids(2, 9) }],
    ["greedy", { greedy: true }],
  ] as const) {
    it(`the sampler's log-probs of ${name} responses are those that scoring gives`, async () => {
      const { policy } = openPolicy(config);
      const results = await policy.decode(requests.map((request) => ({ ...request, ...settings })));
      const { logp } = await policy.score(rowsOf(results), { outputs: ["logp"], temperature: 0.8 });
      const sampled = results.flatMap((result) => [...result.logp]);
      expect(sampled.length).to.equal(logp!.length);
      expect(Math.max(...sampled.map((value, i) => Math.abs(value - logp![i]!)))).to.be.below(1e-4);
      await policy.close();
    });
  }

  it("greedy tokens are the most likely ones of scoring", async () => {
    const { policy } = openPolicy(config);
    const results = await policy.decode(requests.map((request) => ({ ...request, greedy: true })));
    const { candidateTokens } = await policy.score(rowsOf(results), { outputs: ["topK"], topK: 1, temperature: 0.8 });
    expect(results.flatMap(({ tokens }) => [...tokens])).to.deep.equal([...candidateTokens!]);
    await policy.close();
  });

  it("decoding uses the parameters of the latest update", async () => {
    const { policy } = openPolicy(config);
    const before = await policy.decode(requests);
    await policy.update(updateRequest(programOf(clipGate), sampleBatch(config, [2, 2]), { learningRate: 0.3 }));
    const after = await policy.decode(requests);
    const { logp } = await policy.score(rowsOf(after), { outputs: ["logp"], temperature: 0.8 });
    const sampled = after.flatMap((result) => [...result.logp]);
    expect(Math.max(...sampled.map((value, i) => Math.abs(value - logp![i]!)))).to.be.below(1e-4);
    expect(after.map(({ tokens }) => [...tokens])).to.not.deep.equal(before.map(({ tokens }) => [...tokens]));
    await policy.close();
  });

  it("a longer prompt among short ones needs tables for more positions, and changes no response", async () => {
    const { policy } = openPolicy(tinyConfig({ initializer_range: 0.8, max_position_embeddings: 2000 }));
    const before = await policy.decode(requests);
    const long = { ...requests[0]!, prompt: Int32Array.from({ length: 400 }, (_, i) => i % 10) };
    const [alone] = await policy.decode([long]);
    const { logp } = await policy.score([{ prompt: long.prompt, response: alone!.tokens }], { outputs: ["logp"], temperature: 0.8 });
    expect(Math.max(...logp!.map((value, i) => Math.abs(value - alone!.logp[i]!)))).to.be.below(1e-4);
    expect(await policy.decode(requests)).to.deep.equal(before);
    await policy.close();
  });

  it("the number of rows side by side does not change the responses", async () => {
    const decoded = await Promise.all(
      [3, 128].map(async (decodeRows) => {
        const { policy } = openPolicy(config, { decodeRows });
        const results = await policy.decode(requests);
        await policy.close();
        return results.map(({ tokens, finish }) => [...tokens, finish]);
      }),
    );
    expect(decoded[0]).to.deep.equal(decoded[1]);
  });

  it("the number of workers does not change the responses, nor what scoring gives, before and after an update", async () => {
    const found = await Promise.all(
      [1, 2, 3].map(async (workers) => {
        const { policy } = openPolicy(config, { workers, decodeRows: 4 });
        const seen: { tokens: number[][]; logp: Float64Array }[] = [];
        for (const update of [false, true]) {
          if (update) await policy.update(updateRequest(programOf(clipGate), sampleBatch(config, [2, 2]), { learningRate: 0.3 }));
          const results = await policy.decode(requests);
          const { logp } = await policy.score(rowsOf(results), { outputs: ["logp"], temperature: 0.8 });
          seen.push({ tokens: results.map(({ tokens }) => [...tokens]), logp: logp! });
        }
        await policy.close();
        return seen;
      }),
    );
    const [alone, ...shared] = found;
    for (const seen of shared) {
      expect(seen.map(({ tokens }) => tokens)).to.deep.equal(alone!.map(({ tokens }) => tokens));
      for (const [i, { logp }] of seen.entries()) {
        expect(Math.max(...logp.map((value, t) => Math.abs(value - alone![i]!.logp[t]!)))).to.be.below(2e-5);
      }
    }
  });

  it("what is kept of responses changes none of those that go on from them, in workers too, nor after an update", async () => {
    const goOn = (results: readonly { tokens: Int32Array }[]) =>
      results.map(({ tokens }, i): DecodeRequest => {
        const prefix = ids(...tokens, 6, 8);
        return { ...requests[i]!, prefix, prefixLogp: false, maxTokens: prefix.length + 8 };
      });
    const found = await Promise.all(
      [{ workers: 1 }, { workers: 1, keep: "a" }, { workers: 2, keep: "a" }, { workers: 3, keep: "a", decodeRows: 4 }].map(
        async ({ keep, ...engine }) => {
          const { policy } = openPolicy(config, engine);
          const first = goOn(await policy.decode(requests, { keep }));
          const second = goOn(await policy.decode(first, { keep }));
          await policy.update(updateRequest(programOf(clipGate), sampleBatch(config, [2, 2]), { learningRate: 0.3 }));
          const turns = [second, await policy.decode(second, { keep }), await policy.decode(first, { keep: keep && "b" })];
          await policy.close();
          return turns.map((turn) => turn.map((row) => [...("tokens" in row ? row.tokens : row.prefix!)]));
        },
      ),
    );
    for (const kept of found.slice(1)) expect(kept).to.deep.equal(found[0]);
  });

  it("a request that cannot be decoded is named by its place among all", async () => {
    const { policy } = openPolicy(config, { workers: 2 });
    const wrong = requests.map((request, i) => (i === 9 ? { ...request, maxTokens: 0 } : request));
    const error = await policy.decode(wrong).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(DataError).with.property("message").that.contains("decode request 9");
    await policy.close();
  });

  it("a call that decodes nothing leaves the next one its graph", async () => {
    const { policy } = openPolicy(config);
    const given = requests.map((request) => ({ ...request, prefix: ids(1, 2), maxTokens: 2 }));
    for (const { tokens } of await policy.decode(given)) expect([...tokens]).to.deep.equal([1, 2]);
    for (const { tokens } of await policy.decode(requests)) expect(tokens.length).to.be.above(0);
    await policy.close();
  });
});
