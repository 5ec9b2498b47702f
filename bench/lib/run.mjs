import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildComposition, DataSet, openPolicy, Run, resolveConfig, runFactsOf } from "@proximal/core";
import { NEW_TOKENS, PROMPT_TOKENS } from "./shapes.mjs";

/** A tokenizer of `size` words "0" … and no stop token, so that every response has its full length. */
function writeTokenizer(folder, size) {
  const vocab = Object.fromEntries(Array.from({ length: size }, (_, id) => [`${id}`, id]));
  writeFileSync(
    join(folder, "tokenizer.json"),
    JSON.stringify({
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: { type: "WhitespaceSplit" },
      post_processor: null,
      decoder: null,
      model: { type: "WordLevel", vocab, unk_token: "0" },
    }),
  );
  writeFileSync(join(folder, "tokenizer_config.json"), "{}");
}

/** Distinct prompts: their first tokens count up, the rest is a fixed pattern. */
function promptsOf(count, length, vocabulary) {
  return Array.from({ length: count }, (_, i) => {
    const tokens = Int32Array.from({ length }, (_, t) => (t < 4 ? Math.floor(i / vocabulary ** t) % vocabulary : (7 * t + 3) % vocabulary));
    return { id: `${i}`, text: [...tokens].join(" "), tokens, golds: ["1"], fields: {} };
  });
}

/**
 * A GRPO run on random weights with the given shape: groups of responses of exactly `newTokens` tokens, a reward that
 * compares strings, one AdamW update a step, no KL.
 */
export async function openRun(
  shape,
  { promptTokens = PROMPT_TOKENS, newTokens = NEW_TOKENS, steps, engine = {}, threads = 2, seed = 1, varyLengths = false } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), "proximal-bench-"));
  const { architecture, prompts, group } = shape;
  writeTokenizer(folder, architecture.vocab_size);
  const config = resolveConfig({
    algorithm: "grpo",
    seed,
    model: { architecture, tokenizer: folder },
    engine: { threads, ...engine },
    data: { train: "none.jsonl" },
    sampling: { maxTokens: newTokens },
    sampler: { groupSize: group, promptsPerStep: prompts, shuffle: false },
    rewards: [{ use: "format", pattern: "[02468]$" }],
    optimizer: { learningRate: 1e-5 },
    trainer: { steps },
  });
  const policy = await openPolicy(config, { valueHead: false });
  const composition = await buildComposition(config, runFactsOf(config, policy.info));
  const lengthOf = (i) => (varyLengths ? promptTokens - (i % 5) : promptTokens);
  const pool = promptsOf(prompts * (steps + 1), promptTokens, architecture.vocab_size).map((prompt, i) => ({
    ...prompt,
    tokens: prompt.tokens.slice(0, lengthOf(i)),
  }));
  const run = new Run({
    settings: config,
    policy,
    composition,
    data: { train: new DataSet({ size: pool.length, at: (i) => pool[i], place: String }), held: null, contamination: null },
  });
  const close = async () => {
    await policy.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { run, policy, close };
}
