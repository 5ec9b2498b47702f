import { PluginError } from "../errors.js";
import type { EpisodeContext, Services } from "../extension/index.js";
import { type DecodeRequest, type DecodeResult, lengthToStop, observationTokens, type Tokenizer } from "../policy/index.js";
import type { PlacedEnvironment } from "../registry/placed.js";
import type { FinishReason, Random } from "../rollout/index.js";
import type { ResponseRequest, Written } from "./respond.js";

/** What episodes need of their run. */
export interface EpisodeHost {
  tokenizer: Tokenizer;
  services: Services;
}

/** An environment with its limits; the name is for errors. */
type EpisodeWorld = Pick<PlacedEnvironment, "id" | "component" | "maxTurns" | "observationTokens">;

/**
 * Responses of several turns: the policy writes, the environment answers, until one of them ends it. All open episodes decode
 * together, turn by turn. Sampled tokens stay as they were drawn; only observations are tokenised.
 */
export async function runEpisodes(
  { tokenizer, services }: EpisodeHost,
  environment: EpisodeWorld,
  requests: readonly ResponseRequest[],
  world: Random,
  policy: { decode(requests: readonly DecodeRequest[]): Promise<DecodeResult[]> },
): Promise<Written[]> {
  const episodes = requests.map((request) => {
    const of = (name: string | number): EpisodeContext => ({ random: world.fork(request.source.id, name), services });
    return new Episode(environment, tokenizer, request, of);
  });
  await Promise.all(episodes.map((episode) => episode.begin()));
  for (let open = episodes.filter(isOpen); open.length > 0; open = open.filter(isOpen)) {
    const decoded = await policy.decode(open.map((episode) => episode.decodeRequest));
    await Promise.all(open.map((episode, i) => episode.take(decoded[i]!)));
  }
  return episodes.map((episode) => episode.written);
}

const isOpen = ({ finish }: Episode): boolean => finish === undefined;

class Episode {
  finish: FinishReason | undefined;
  private readonly tokens: number[] = [];
  private readonly logp: number[] = [];
  private readonly mask: number[] = [];
  private readonly observed: number[] = [];
  private readonly turnIndex: number[] = [];
  private readonly stopTokens: readonly number[];
  /** Turns that the environment has seen. */
  private turns = 0;
  /** First token of the present turn. */
  private start = 0;
  private lastTurn = "";
  private state: unknown;

  constructor(
    private readonly environment: EpisodeWorld,
    private readonly tokenizer: Tokenizer,
    private readonly request: ResponseRequest,
    private readonly contextOf: (turn: string | number) => EpisodeContext,
  ) {
    this.stopTokens = request.stopTokens ?? tokenizer.stopTokens;
  }

  /** A given beginning is replayed: the environment's answers in it must be the ones that it gives. */
  async begin(): Promise<void> {
    const { source: prompt, prefix = new Int32Array() } = this.request;
    this.state = await this.environment.component.reset(prompt, this.contextOf("reset"));
    while (this.tokens.length < prefix.length && isOpen(this)) {
      const end = this.endOf(prefix);
      this.write(prefix.subarray(this.tokens.length, end?.length), { given: true });
      if (end === null) return;
      const observation = await this.step(end.by);
      const known = prefix.subarray(this.tokens.length);
      if (observation.some((token, t) => t < known.length && known[t] !== token)) {
        throw new PluginError(
          `the given beginning of a response holds other observations than the environment "${this.environment.id}" makes`,
        );
      }
      this.observe(observation);
    }
    if (this.tokens.length < prefix.length) {
      throw new PluginError(`the given beginning of a response goes on where the environment "${this.environment.id}" ends it`);
    }
  }

  get decodeRequest() {
    const { request } = this;
    // An engine takes a prefix that ends with a stop token for a whole response.
    const stopTokens = this.stopTokens.filter((id) => id !== this.tokens.at(-1));
    const stopStrings = [...(request.stopStrings ?? []), ...this.environment.component.endOfTurn];
    return { ...request, prefix: Int32Array.from(this.tokens), prefixLogp: false, stopTokens, stopStrings };
  }

  /** Takes over what was decoded, up to the end of the turn. */
  async take({ tokens, logp }: DecodeResult): Promise<void> {
    const known = this.tokens.length;
    const end = this.endOf(tokens);
    this.write(tokens.subarray(known, end?.length), { logp: logp.subarray(known, end?.length) });
    const observation = await this.step(end?.by ?? "length");
    this.observe(observation);
  }

  /** Length of the response up to the end of its last turn, tokens, and what ended it; null when nothing does. */
  private endOf(tokens: Int32Array): { length: number; by: "text" | "stop" } | null {
    const stopToken = tokens.findIndex((id, t) => t >= this.start && this.stopTokens.includes(id));
    const endBy = (strings: readonly string[]): number => {
      const { length, stopped } = lengthToStop(this.tokenizer, strings, tokens, this.start);
      return stopped ? length : Number.POSITIVE_INFINITY;
    };
    const text = endBy(this.environment.component.endOfTurn);
    const stop = Math.min(stopToken < 0 ? Number.POSITIVE_INFINITY : stopToken + 1, endBy(this.request.stopStrings ?? []));
    const length = Math.min(text, stop);
    return Number.isFinite(length) ? { length, by: text <= stop ? "text" : "stop" } : null;
  }

  private write(
    tokens: Int32Array,
    { logp, given = false, observed = false }: { logp?: Float64Array; given?: boolean; observed?: boolean },
  ) {
    tokens.forEach((token, t) => {
      this.tokens.push(token);
      this.logp.push(logp?.[t] ?? 0);
      this.mask.push(given || observed ? 0 : 1);
      this.observed.push(observed ? 1 : 0);
      this.turnIndex.push(this.turns);
    });
  }

  /** Hands the turn to the environment; returns the tokens of its answer and ends the episode where it is over. */
  private async step(end: "text" | "stop" | "length"): Promise<Int32Array> {
    const { component, maxTurns, observationTokens: longest } = this.environment;
    const tokens = Int32Array.from(this.tokens.slice(this.start));
    this.lastTurn = this.tokenizer.decode(tokens);
    const { source: prompt, maxTokens } = this.request;
    const given = { prompt, state: this.state, turn: this.turns, text: this.lastTurn, tokens, end };
    const { state, observation, done } = await component.step(given, this.contextOf(this.turns));
    this.state = state;
    if (end === "length" || (!done && this.turns + 1 >= maxTurns)) this.finish = "length";
    else if (done) this.finish = end === "stop" ? "stop" : "environment";
    if (this.finish !== undefined || observation === undefined) return new Int32Array();
    return observationTokens(this.tokenizer, observation, this.tokens.at(-1)).slice(
      0,
      Math.min(longest ?? maxTokens, maxTokens - this.tokens.length),
    );
  }

  private observe(tokens: Int32Array): void {
    this.write(tokens, { observed: true });
    this.turns++;
    this.start = this.tokens.length;
    if (this.finish === undefined && this.tokens.length >= this.request.maxTokens) this.finish = "length";
  }

  get written(): Written {
    return {
      tokens: Int32Array.from(this.tokens),
      mask: Uint8Array.from(this.mask),
      logp: Float64Array.from(this.logp),
      text: this.tokenizer.decode(this.tokens),
      finish: this.finish!,
      columns: {
        turnIndex: this.turnIndex,
        observed: this.observed,
        turns: this.turns,
        lastTurn: this.lastTurn,
        ...this.environment.component.columns?.(this.state),
      },
    };
  }
}
