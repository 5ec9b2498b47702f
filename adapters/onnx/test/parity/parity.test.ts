import {
  Batch,
  ClipGate,
  type Context,
  klEstimate,
  ObjectiveProgram,
  type PolicyBackend,
  type ScoreRow,
  type Trajectory,
} from "@proximal/core";
import { expect } from "chai";
import { relativeError } from "../support.js";
import { largestGap, openFixture, readExpected } from "./fixtures.js";

const CASES: readonly [what: string, fixture: string, file?: string][] = [
  ["SmolLM2, tied, float32", "smollm2"],
  ["Llama 3, shards of bfloat16, llama3 positions", "llama3"],
  ["TinyLlama, float16, SentencePiece, linear positions", "tinyllama"],
  ["Qwen2.5, biases", "qwen2"],
  ["Qwen3, norms of queries and keys, yarn positions", "qwen3"],
  ["GPT-2, learned positions", "gpt2"],
  ["Llama with biases everywhere and heads of a width of their own", "llama-biases"],
  ["SmolLM2 as GGUF, seven types", "smollm2-gguf", "model.gguf"],
  ["SmolLM2 as GGUF in three parts, named by the second", "smollm2-gguf", "../smollm2-gguf-parts/model-00002-of-00003.gguf"],
  ["TinyLlama as GGUF, merges from scores", "tinyllama-gguf", "model.gguf"],
  ["Qwen2 as GGUF", "qwen2-gguf", "model.gguf"],
  ["GPT-2 as GGUF", "gpt2-gguf", "model.gguf"],
];

/** Clip and divergence, mean over all tokens. */
const program = new ObjectiveProgram(
  [
    { id: "gate", component: new ClipGate({ clipLow: 0.2, clipHigh: 0.2, dualClip: null }), coefficient: 1, stepShapes: {} },
    {
      id: "kl",
      component: { terms: ({ logp, refLogp }: Context) => ({ value: klEstimate("k3", logp, refLogp) }) },
      coefficient: 0.04,
      stepShapes: {},
    },
  ],
  { aggregation: "token-mean" },
);

describe("a checkpoint gives what transformers gives", () => {
  for (const [what, name, file] of CASES) {
    describe(what, () => {
      const expected = readExpected(name);
      const rows: ScoreRow[] = expected.rows.map(({ prompt, response }) => ({
        prompt: Int32Array.from(prompt),
        response: Int32Array.from(response),
      }));
      let policy: PolicyBackend;
      before(async () => {
        policy = await openFixture(name, file);
      });
      after(() => policy.close());

      it("log-probabilities of ragged rows, to 2e-4", async () => {
        const { logp } = await policy.score(rows, { outputs: ["logp"], temperature: 1 });
        expect(largestGap(logp!, expected.tensors.get("logp")!)).to.be.below(2e-4);
      });

      it("logits, to 2e-4", async () => {
        const vocabulary = policy.info.vocabularySize;
        const { logp, candidateProbs, candidateTokens } = await policy.score(rows, {
          outputs: ["logp", "topK"],
          topK: vocabulary,
          temperature: 1,
        });
        const logits = expected.tensors.get("logits")!;
        const found = new Float64Array(logits.length);
        for (let i = 0; i < found.length; i++) {
          found[Math.floor(i / vocabulary) * vocabulary + candidateTokens![i]!] = Math.log(candidateProbs![i]!);
        }
        for (let t = 0; t < logp!.length; t++) {
          const row = logits.subarray(t * vocabulary, (t + 1) * vocabulary);
          const normaliser = Math.log(row.reduce((sum, z) => sum + Math.exp(z), 0));
          const gap = largestGap(
            Float64Array.from(row, (z) => z - normaliser),
            found.subarray(t * vocabulary, (t + 1) * vocabulary),
          );
          expect(gap, `token ${t}`).to.be.below(2e-4);
        }
      });

      it("greedy responses, token for token", async () => {
        const requests = expected.generated.map(({ prompt, response }, key) => ({
          prompt: Int32Array.from(prompt),
          key,
          maxTokens: response.length,
          temperature: 1,
          greedy: true,
          stopTokens: [],
        }));
        const found = await policy.decode(requests);
        expect(found.map(({ tokens }) => [...tokens])).to.deep.equal(expected.generated.map(({ response }) => response));
      });

      it("the gradient of a GRPO loss in every parameter, to 2e-3", async () => {
        const column = (tensor: string) => expected.tensors.get(tensor)!;
        let at = 0;
        const trajectories = rows.map(({ prompt, response }, i): Trajectory => {
          const logp = Float64Array.from(column("old").subarray(at, at + response.length));
          at += response.length;
          const mask = new Uint8Array(response.length).fill(1);
          return {
            prompt: { id: `p${i >> 1}`, text: "", tokens: prompt, golds: [], fields: {} },
            tokens: response,
            mask,
            logp,
            text: "",
            finish: "stop",
            temperature: 1,
          };
        });
        const pairs = trajectories.filter((_, i) => i % 2 === 0).map((first, g) => [first, trajectories[2 * g + 1]!]);
        const batch = Batch.fromGroups(pairs.map((pair) => ({ prompt: pair[0]!.prompt, trajectories: pair }))).with({
          advantages: expected.advantages,
          refLogp: Float64Array.from(column("reference")),
        });
        const gradients = await policy.gradients({ program, batch, stepValues: {}, temperature: 1 });
        const names = [...expected.tensors.keys()].filter((tensor) => tensor.startsWith("gradient."));
        expect(names.map((tensor) => tensor.slice("gradient.".length))).to.have.members(Object.keys(gradients));
        for (const [parameter, found] of Object.entries(gradients)) {
          expect(relativeError(found, column(`gradient.${parameter}`)), parameter).to.be.below(2e-3);
        }
      });

      it("token ids and texts, with and without special tokens", () => {
        for (const { text, ids, plain, decoded } of expected.texts) {
          expect([...policy.tokenizer.encode(text)], text).to.deep.equal(ids);
          expect([...policy.tokenizer.encode(text, { special: false })], text).to.deep.equal(plain);
          expect(policy.tokenizer.decode(ids, { skipSpecial: false })).to.equal(decoded);
        }
      });

      it("chats, system messages and several turns, character for character", () => {
        expect(policy.tokenizer.chat !== undefined).to.equal(expected.chats.length > 0);
        for (const { messages, text, ids } of expected.chats) {
          const rendered = policy.tokenizer.chat!(messages);
          expect(rendered).to.equal(text);
          expect([...policy.tokenizer.encode(rendered, { special: false })]).to.deep.equal(ids);
        }
      });
    });
  }
});
