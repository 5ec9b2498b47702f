import type { DecodeOptions, DecodeRequest, PolicyBackend } from "../policy/index.js";
import type { Prompt, Random, Trajectory } from "../rollout/index.js";
import { runEpisodes } from "./episodes.js";
import type { Run } from "./run.js";

/** What to write: a decode request with the prompt that it answers. */
export interface ResponseRequest extends DecodeRequest {
  /** `prompt` are its tokens. */
  source: Prompt;
}

/** What was written. */
export type Written = Pick<Trajectory, "tokens" | "mask" | "logp" | "text" | "finish" | "columns">;

let scopes = 0;

/** A name that no decoding has gone by (`DecodeOptions.keep`). */
export const newScope = (): string => `${scopes++}`;

/**
 * Responses in the order of the requests: one turn of the policy or, in a run with an environment, whole episodes, whose
 * random numbers come from `world`. Tokens of a prefix are given, not sampled: mask and log-probs are 0 there.
 */
export async function respond(
  run: Run,
  requests: readonly ResponseRequest[],
  world: Random,
  { policy = run.policy, ...options }: { policy?: Pick<PolicyBackend, "decode"> } & DecodeOptions = {},
): Promise<Written[]> {
  const { composition } = run;
  const { tokenizer } = run.policy;
  const { environment } = composition;
  if (environment !== undefined) {
    // What a turn computed serves the next.
    const turns = environment.maxTurns > 1 ? { keep: options.keep ?? newScope() } : {};
    return runEpisodes({ tokenizer, services: run.servicesOf(environment) }, environment, requests, world, {
      decode: (open) => policy.decode(open, turns),
    });
  }
  const decoded = await policy.decode(requests, options);
  return decoded.map(({ tokens, logp, finish }, i) => {
    const given = requests[i]!.prefix?.length ?? 0;
    return {
      tokens,
      mask: new Uint8Array(tokens.length).fill(1, given),
      logp: logp.map((value, t) => (t < given ? 0 : value)),
      text: tokenizer.decode(tokens),
      finish,
    };
  });
}
