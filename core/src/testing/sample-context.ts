import type { GenerateRequest, SampleContext, Services, State } from "../extension/index.js";
import { Batch, type ColumnSpecs, type Group, type Prompt, Random, type Trajectory } from "../rollout/index.js";

export interface SampleContextOptions<S extends State> {
  state: S;
  /** Prompts of the pool; ids `p0`, `p1`, … when only their number is given. */
  prompts?: number | readonly Prompt[];
  /** Text of a response, one token a character; drawn from `random`, which depends on step, prompt and key alone. */
  respond?: (request: GenerateRequest, random: Random) => string;
  /** Reward of a response; 1 when its first character is even. */
  reward?: (trajectory: Trajectory) => number;
  step?: number;
  seed?: number;
  maxTokens?: number;
  specs?: ColumnSpecs;
}

/** A context for samplers without a policy: a pool of prompts, scripted responses, their rewards. `requests` records what was generated. */
export function sampleContext<S extends State>({
  state,
  prompts = 4,
  respond = (_, random) => String(random.integer(10)),
  reward = ({ text }) => 1 - (text.charCodeAt(0) % 2),
  step = 0,
  seed = 1,
  maxTokens = 8,
  specs = {},
}: SampleContextOptions<S>): SampleContext<S> & { requests: GenerateRequest[] } {
  const pool = typeof prompts === "number" ? Array.from({ length: prompts }, (_, i) => promptOf(`p${i}`)) : prompts;
  const random = new Random(seed).fork("step", step);
  const requests: GenerateRequest[] = [];
  const trajectory = (request: GenerateRequest): Trajectory => {
    const given = request.prefix ?? new Int32Array();
    const written = codes(respond(request, random.fork("noise", request.prompt.id, request.key ?? ""))).slice(
      0,
      request.maxTokens ?? maxTokens,
    );
    const tokens = Int32Array.from([...given, ...written]);
    return {
      prompt: request.prompt,
      tokens,
      mask: new Uint8Array(tokens.length).fill(1, given.length),
      logp: Float64Array.from(tokens, (_, t) => (t < given.length ? 0 : -1)),
      text: String.fromCharCode(...tokens),
      finish: tokens.length >= maxTokens ? "length" : "stop",
      temperature: request.temperature ?? 1,
      ...(request.columns === undefined ? {} : { columns: request.columns }),
    };
  };
  return {
    step,
    state,
    random,
    maxTokens,
    requests,
    services: {} as Services,
    policy: {
      info: { contextLength: 1024, vocabularySize: characters.vocabularySize, hiddenSize: 0 },
      tokenizer: characters,
      score: flatScore,
    } as unknown as SampleContext["policy"],
    prompts: { size: pool.length, get: (i) => pool[i]!, derive: (base, text) => ({ ...base, text, tokens: Int32Array.from(codes(text)) }) },
    generate: async (wanted) => {
      requests.push(...wanted);
      return wanted.map(trajectory);
    },
    score: async (groups: readonly Group[]) => {
      const batch = Batch.fromGroups(groups, specs);
      const rewards = batch.trajectories.map(reward);
      return batch.with(
        { rewards, rewardComponents: rewards, correct: rewards.map((r) => (Number.isNaN(r) ? r : r > 0.5 ? 1 : 0)) },
        {
          ...specs,
          rewardComponents: { at: "row", dtype: "f64", width: 1 },
        },
      );
    },
  };
}

/** One token a character; id 0 ends a response. */
const characters = {
  vocabularySize: 2 ** 16,
  stopTokens: [0],
  padToken: 0,
  encode: (text: string) => Int32Array.from(codes(text)),
  decode: (tokens: ArrayLike<number>) => String.fromCharCode(...Array.from(tokens).filter((id) => id !== 0)),
};

/** Every token has the log-prob -0.5 under the policy; its likeliest ones are digits, each half as likely as the one before. */
const flatScore = async (rows: readonly { response: Int32Array }[], { topK = 2 }: { topK?: number } = {}) => {
  const tokens = rows.reduce((sum, { response }) => sum + response.length, 0);
  return {
    logp: new Float64Array(tokens).fill(-0.5),
    candidateProbs: Float64Array.from({ length: tokens * topK }, (_, i) => 0.5 ** ((i % topK) + 1)),
    candidateTokens: Int32Array.from({ length: tokens * topK }, (_, i) => "0".charCodeAt(0) + ((i % topK) % 10)),
  };
};

const codes = (text: string): number[] => Array.from(text, (character) => character.charCodeAt(0));

const promptOf = (id: string): Prompt => ({ id, text: id, tokens: Int32Array.from(codes(id)), golds: [], fields: {} });
