import { type Static, Type } from "typebox";
import { ServiceError } from "../errors.js";
import { options, rewardModel } from "../extension/component.js";
import type { RewardContext, RewardModel, RewardResult } from "../extension/points.js";
import type { Batch } from "../rollout/index.js";
import { ANSWER_COLUMNS, answerTexts } from "./rewards.js";
import { ADDRESS, JsonClient, requestOptions } from "./services/http-client.js";

/** Version of what is sent to a reward server. */
export const REWARD_FORMAT = 1;

// `retries` is the host's key of every reward: it scores a whole step again.
const { apiKey, retries: requestRetries, ...requests } = requestOptions;

const httpRewardOptions = Type.Object({
  url: Type.String({ pattern: ADDRESS, description: "Address that the responses are posted to, e.g. http://localhost:8080/score" }),
  apiKey,
  headers: Type.Record(Type.String(), Type.String(), {
    default: {},
    description: "Further headers of a request; a value env:NAME is that of the environment variable",
  }),
  batchSize: Type.Integer({ default: 64, minimum: 1, description: "Responses a request" }),
  requestRetries,
  ...requests,
  timeout: Type.Number({ default: 60, minimum: 1, description: "Seconds until a request counts as failed" }),
});

/** What a server is told of a response. */
export interface RewardItem {
  prompt: string;
  /** Of several turns the last one. */
  completion: string;
  /** Accepted answers of the record. */
  golds: readonly string[];
  /** Cut at the longest response. */
  truncated: boolean;
  /** The record of the data set. */
  fields: Readonly<Record<string, unknown>>;
}

type Numbers = readonly (number | null)[];
interface Answer {
  rewards: Numbers;
  components?: Readonly<Record<string, Numbers>>;
}

/** [B] what a server says of each response: POST {formatVersion, step, items} → {rewards, components?}, in the order of the items. */
@rewardModel({
  id: "http",
  description: "A server of your own, asked by HTTP for the rewards of a list of responses",
  options: httpRewardOptions,
  reads: [...ANSWER_COLUMNS, "prompts", "golds", "truncated"],
})
export class HttpReward implements RewardModel {
  private readonly client: JsonClient;

  constructor(@options() private readonly o: Static<typeof httpRewardOptions>) {
    const { url: baseUrl, requestRetries: retries, ...how } = o;
    this.client = new JsonClient({ ...how, baseUrl, retries, cacheSize: 0 }, "url and headers");
  }

  /** Errors: `ServiceError` when the server is not there after all attempts, refuses, or gives no number for a response. */
  async score(batch: Batch, { step }: Pick<RewardContext, "step">): Promise<RewardResult> {
    const items = itemsOf(batch);
    const parts = Array.from({ length: Math.ceil(items.length / this.o.batchSize) }, (_, i) =>
      items.slice(i * this.o.batchSize, (i + 1) * this.o.batchSize),
    );
    // Where one request fails for good, those that wait are not sent any more.
    const stop = new AbortController();
    const answers = await Promise.all(parts.map((part) => this.request(step, part, stop.signal))).finally(() => stop.abort());
    const names = new Set(answers.flatMap(({ components = {} }) => Object.keys(components)));
    const column = (name: string) => answers.flatMap(({ components }, i) => components?.[name] ?? parts[i]!.map(() => null));
    return {
      rewards: answers.flatMap(({ rewards }) => rewards),
      ...(names.size === 0 ? {} : { components: Object.fromEntries([...names].map((name) => [name, column(name)])) }),
    };
  }

  private async request(step: number, items: readonly RewardItem[], signal: AbortSignal): Promise<Answer> {
    const { url: path } = this.o;
    const body = { formatVersion: REWARD_FORMAT, step, items };
    let answer: unknown;
    try {
      answer = await this.client.post("", body, (value) => mistakeIn(value, items.length) === null, signal);
    } catch (cause) {
      if (cause instanceof ServiceError) throw cause;
      throw new ServiceError(`the responses could not be scored: ${(cause as Error).message}`, {
        path,
        accepted: `status 200 and ${ACCEPTED}`,
        hint: "is the server running? timeout, requestRetries and backoff say how long it is waited for",
        cause,
      });
    }
    const mistake = mistakeIn(answer, items.length);
    if (mistake === null) return answer as Answer;
    throw new ServiceError(`the reward server ${mistake}`, { path, given: JSON.stringify(answer).slice(0, 200), accepted: ACCEPTED });
  }
}

const ACCEPTED =
  '{ "rewards": [a number, or null for what cannot be judged, for each item in order] }, and "components": { NAME: [the same] }';

function itemsOf(batch: Batch): RewardItem[] {
  const [prompts, truncated] = [batch.strings("prompts"), batch.f64("truncated")];
  const golds = batch.json<readonly string[]>("golds");
  return answerTexts(batch).map((completion, row) => ({
    prompt: prompts[row]!,
    completion,
    golds: golds[row]!,
    truncated: truncated[row] === 1,
    fields: batch.trajectories[row]?.prompt.fields ?? {},
  }));
}

/** What is wrong with a server's answer for `count` items; null when nothing is. */
function mistakeIn(answer: unknown, count: number): string | null {
  const { rewards, components = {} } = (answer ?? {}) as Record<string, unknown>;
  if (typeof components !== "object" || components === null) return "gives components that are no object";
  for (const [name, values] of [["rewards", rewards], ...Object.entries(components)] as const) {
    if (!Array.isArray(values)) return `gives no list ${name}`;
    if (values.length !== count) return `gives ${values.length} ${name} for ${count} responses`;
    const wrong = values.findIndex((value) => value !== null && !Number.isFinite(value));
    if (wrong >= 0) return `gives ${JSON.stringify(values[wrong])} as ${name}[${wrong}], which is no number`;
  }
  return null;
}
