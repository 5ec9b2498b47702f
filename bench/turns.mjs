// Episodes of several turns with random weights: sampling with and without what earlier turns computed, in turns.
// npm run bench -- turns [--shape smollm2] [--prompt 64] [--turns 4] [--tokens 24] [--observation 8] [--pairs 3] [--threads 2]
import { parseArgs } from "node:util";
import { emit, peakMemory, spread } from "./lib/measure.mjs";
import { openRun } from "./lib/run.mjs";
import { SHAPES } from "./lib/shapes.mjs";

const { values: o } = parseArgs({
  options: {
    shape: { type: "string", default: "smollm2" },
    prompt: { type: "string", default: "64" },
    turns: { type: "string", default: "4" },
    tokens: { type: "string", default: "24" },
    observation: { type: "string", default: "8" },
    pairs: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
  },
});
const [turns, tokens, observation] = [Number(o.turns), Number(o.tokens), Number(o.observation)];
const shape = SHAPES[o.shape];
const options = { promptTokens: Number(o.prompt), newTokens: turns * (tokens + observation), steps: 1, threads: Number(o.threads) };
const { policy, close } = await openRun(shape, options);
const prompts = Array.from({ length: shape.prompts }, (_, p) =>
  Int32Array.from({ length: options.promptTokens }, (_, t) => (p + 7 * t) % shape.architecture.vocab_size),
);

async function episodes(keep) {
  const begin = performance.now();
  let requests = prompts.flatMap((prompt, p) =>
    Array.from({ length: shape.group }, (_, i) => ({
      prompt,
      key: p * shape.group + i,
      maxTokens: tokens,
      temperature: 1,
      prefixLogp: false,
    })),
  );
  for (let turn = 0; turn < turns; turn++) {
    const results = await policy.decode(requests, { keep });
    requests = results.map((result, i) => {
      const prefix = Int32Array.from([...result.tokens, ...Array.from({ length: observation }, (_, t) => t)]);
      return { ...requests[i], prefix, maxTokens: prefix.length + tokens };
    });
  }
  return (performance.now() - begin) / 1000;
}

await episodes(undefined);
await episodes("warm-up");
const seconds = { without: [], kept: [] };
for (let pair = 0; pair < Number(o.pairs); pair++) {
  seconds.without.push(await episodes(undefined));
  seconds.kept.push(await episodes(`pair ${pair}`));
}
await close();
emit({
  bench: "turns",
  shape: o.shape,
  rows: shape.prompts * shape.group,
  promptTokens: Number(o.prompt),
  turns,
  tokens,
  observation,
  secondsWithout: spread(seconds.without),
  secondsKept: spread(seconds.kept),
  ratio: spread(seconds.without.map((value, i) => value / seconds.kept[i])),
  peakRssGb: peakMemory(),
});
