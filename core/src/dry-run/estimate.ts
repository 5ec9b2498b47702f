import type { ResolvedConfig } from "../config/resolve.js";
import type { AdapterDefinition } from "../extension/plugin.js";
import { openPolicy } from "../registry/build.js";

/** Floating-point operations a second, measured on a small random model. */
export interface Rates {
  /** Passes over whole rows: scoring; training takes three such passes. */
  score: number;
  /** One token after the other. */
  decode: number;
}

const ROWS = 8;
const TOKENS = 48;

/** Measures how fast the config's engine scores and decodes here. */
export async function measureRates(config: ResolvedConfig, adapter: AdapterDefinition): Promise<Rates> {
  const model = (await adapter.miniature!(config.model, "small")) as Record<string, unknown>;
  const policy = await openPolicy({ ...config, model }, { valueHead: false });
  try {
    const length = Math.min(TOKENS, Math.floor(policy.info.contextLength / 2));
    const prompt = new Int32Array(4).fill(policy.tokenizer.padToken);
    const response = new Int32Array(length).fill(policy.tokenizer.padToken);
    const work = 2 * policy.info.parameters * ROWS * length;
    const rate = async (run: () => Promise<unknown>) => {
      await run(); // Graphs are built in the first call.
      const start = performance.now();
      await run();
      return work / ((performance.now() - start) / 1000);
    };
    const rows = Array.from({ length: ROWS }, () => ({ prompt, response }));
    const score = await rate(() => policy.score(rows, { outputs: ["logp"], temperature: 1 }));
    const requests = rows.map((_, key) => ({ prompt, key, maxTokens: length, temperature: 1, stopTokens: [] }));
    return { score, decode: await rate(() => policy.decode(requests)) };
  } finally {
    await policy.close();
  }
}

export interface RunEstimate {
  /** Of a step whose responses all have the greatest length, seconds. */
  secondsPerStep: number;
  secondsInAll: number;
  /** Parameters, gradients, moments and frozen copies, bytes; activations come on top. */
  bytes: number;
  parameters: { all: number; trained: number };
}

export interface Workload {
  /** Rows a step. */
  rows: number;
  /** Tokens a row, prompt and response. */
  promptTokens: number;
  responseTokens: number;
  /** Passes over the rows beside training: reference, teacher, old log-probs. */
  passes: number;
  /** Frozen copies of all parameters. */
  copies: number;
}

/** What the real run takes, from operation counts: 2 a parameter and token forward, 6 in training. */
export function estimateRun(
  { trainer }: ResolvedConfig,
  parameters: { all: number; trained: number },
  { rows, promptTokens, responseTokens, passes, copies }: Workload,
  { score, decode }: Rates,
): RunEstimate {
  const forward = 2 * parameters.all * rows;
  const whole = promptTokens + responseTokens;
  const training = (6 * parameters.all * rows * whole * trainer.epochs) / score;
  const secondsPerStep = (forward * responseTokens) / decode + (forward * whole * passes) / score + training;
  return {
    secondsPerStep,
    secondsInAll: secondsPerStep * trainer.steps,
    bytes: 4 * (parameters.all * (1 + copies) + 3 * parameters.trained),
    parameters,
  };
}
