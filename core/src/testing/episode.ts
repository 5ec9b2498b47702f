import type { Environment, Services } from "../extension/index.js";
import type { DecodeRequest, DecodeResult, Tokenizer } from "../policy/index.js";
import { type Prompt, Random } from "../rollout/index.js";
import { runEpisodes } from "../trainer/episodes.js";
import type { Written } from "../trainer/respond.js";

/** One token a UTF-16 unit, its number plus 1; id 0 ends a response. Writes messages as `[role]content`. */
export const UNITS: Tokenizer = {
  vocabularySize: 2 ** 16 + 1,
  stopTokens: [0],
  padToken: 0,
  encode: (text) => Int32Array.from({ length: text.length }, (_, i) => text.charCodeAt(i) + 1),
  decode: (tokens) =>
    Array.from(tokens)
      .filter((id) => id > 0)
      .map((id) => String.fromCharCode(id - 1))
      .join(""),
  chat: (messages) => `${messages.map(({ role, content }) => `[${role}]${content}`).join("")}[assistant]`,
};

export interface EpisodeOptions {
  /** What the policy writes, turn by turn, each closed with a stop token; nothing but that token once they are used up. */
  turns: readonly string[];
  prompt: Prompt;
  /** Beginning of the response that is given, tokens of `UNITS`; `turns` go on behind it. */
  prefix?: Int32Array;
  maxTurns?: number;
  maxTokens?: number;
  /** Longest observation, tokens. */
  observationTokens?: number;
  seed?: number;
  services?: Services;
}

/** A whole episode by the trainer's own loop, with a policy that writes given texts. Tokens are those of `UNITS`. */
export async function playEpisode(
  environment: Environment,
  { turns, prompt, prefix, maxTurns = 8, maxTokens = 400, observationTokens, seed = 1, services = {} as Services }: EpisodeOptions,
): Promise<Written> {
  const scripts = turns[Symbol.iterator]();
  const decode = async (requests: readonly DecodeRequest[]): Promise<DecodeResult[]> =>
    requests.map((request) => {
      const given = request.prefix ?? new Int32Array();
      const written = [...UNITS.encode(scripts.next().value ?? ""), ...UNITS.stopTokens].slice(0, maxTokens - given.length);
      const tokens = Int32Array.from([...given, ...written]);
      return { tokens, logp: new Float64Array(tokens.length).fill(-1), finish: "stop" };
    });
  const world = { id: "under test", component: environment, maxTurns, ...(observationTokens === undefined ? {} : { observationTokens }) };
  const request = { source: prompt, prompt: prompt.tokens, key: 0, maxTokens, temperature: 1, ...(prefix === undefined ? {} : { prefix }) };
  const [written] = await runEpisodes({ tokenizer: UNITS, services }, world, [request], new Random(seed), { decode });
  return written!;
}
