import type { GenerateRequest, GenerationOptions } from "../extension/index.js";
import type { PolicyBackend } from "../policy/index.js";
import { boundedLogp, type Trajectory } from "../rollout/index.js";
import { newScope, respond, type Written } from "./respond.js";
import type { Run } from "./run.js";
import { drawOf } from "./settings.js";

/** Counts what a sampler draws from the policy, whether it keeps it or not. */
export class Meter {
  responses = 0;
  /** Response tokens without the prefixes that were given. */
  tokens = 0;
  readonly policy: Pick<PolicyBackend, "score" | "decode" | "info" | "tokenizer">;

  constructor(policy: PolicyBackend) {
    this.policy = {
      info: policy.info,
      tokenizer: policy.tokenizer,
      score: (rows, options) => policy.score(rows, options),
      decode: async (requests, options) => {
        const decoded = await policy.decode(requests, options);
        this.responses += decoded.length;
        decoded.forEach(({ tokens }, i) => {
          this.tokens += tokens.length - (requests[i]!.prefix?.length ?? 0);
        });
        return decoded;
      },
    };
  }
}

/**
 * Decodes responses for one step. The noise of a response is named by (seed, step, prompt, key), never by how many were drawn
 * before; a request without a key is named by how often its prompt came before in the step.
 */
export function makeGenerate(
  run: Run,
  step: number,
  policy: Pick<PolicyBackend, "decode"> = run.policy,
): (requests: readonly GenerateRequest[], options?: GenerationOptions) => Promise<Trajectory[]> {
  const { settings, random } = run;
  const { sampling } = settings;
  const noise = random.fork("noise", step);
  const world = random.fork("environment", step);
  const seen = new Map<string, number>();
  const keyOf = ({ prompt, key }: GenerateRequest): number => {
    if (key !== undefined) return noise.fork("named", prompt.id, key).key();
    const count = seen.get(prompt.id) ?? 0;
    seen.set(prompt.id, count + 1);
    return noise.fork("counted", prompt.id, count).key();
  };
  const keep = newScope();
  return async (requests, { continued } = {}) => {
    const keys = requests.map(keyOf);
    const written = await respond(
      run,
      requests.map((request, i) => ({
        source: request.prompt,
        prompt: request.prompt.tokens,
        prefix: request.prefix,
        prefixLogp: false,
        key: keys[i]!,
        maxTokens: longestResponse(request, sampling.maxTokens),
        temperature: request.temperature ?? sampling.temperature,
        greedy: request.greedy,
        ...drawOf(sampling),
        stopStrings: [...sampling.stopStrings, ...(request.stopStrings ?? [])],
      })),
      world,
      { policy, ...(continued === undefined ? {} : { keep, last: continued === "last" }) },
    );
    return written.map((response, i) => toTrajectory(requests[i]!, response, { temperature: sampling.temperature, noise: keys[i]! }));
  };
}

/** Tokens of the whole response, prefix included: what the request adds to its prefix, or what the run allows. */
function longestResponse({ prefix, maxTokens }: GenerateRequest, allowed: number): number {
  const given = prefix?.length ?? 0;
  return maxTokens === undefined ? Math.max(given, allowed) : given + maxTokens;
}

/** Field by field: a row that is spread into another costs the runtime a hidden class, which only its slow collector takes back. */
function toTrajectory(
  { prompt, columns: asked, temperature }: GenerateRequest,
  { tokens, mask, logp, text, finish, columns: told }: Written,
  run: { temperature: number; noise: number },
): Trajectory {
  const trajectory: Trajectory = {
    prompt,
    tokens,
    mask,
    logp: boundedLogp(logp),
    text,
    finish,
    temperature: temperature ?? run.temperature,
    noise: run.noise,
  };
  const columns = { ...told, ...asked };
  if (Object.keys(columns).length > 0) trajectory.columns = columns;
  return trajectory;
}
