import pLimit from "p-limit";
import pRetry, { AbortError } from "p-retry";
import { type Static, Type } from "typebox";
import { ConfigError, ServiceError } from "../../errors.js";

/** An address that holds no password. */
export const ADDRESS = "^https?://[^@]+$";

/** How a server is asked, whatever it is asked for. */
export const requestOptions = {
  apiKey: Type.Optional(Type.String({ description: "env:NAME, the environment variable that holds the key; left out = no key is sent" })),
  timeout: Type.Number({ default: 60, exclusiveMinimum: 0, description: "Seconds until a request counts as failed" }),
  retries: Type.Integer({ default: 4, minimum: 0, description: "Further attempts after a timeout, a broken connection, 429 or 5xx" }),
  backoff: Type.Number({ default: 1, minimum: 0, description: "Seconds before the first further attempt; doubled before each next one" }),
  concurrency: Type.Integer({ default: 8, minimum: 1, description: "Requests at a time" }),
};

export const httpOptions = {
  baseUrl: Type.String({
    pattern: ADDRESS,
    description: "Address of the server up to the version, e.g. https://api.openai.com/v1 or http://localhost:8000/v1",
  }),
  model: Type.String({ minLength: 1, description: "Name of the model on the server" }),
  ...requestOptions,
  cacheSize: Type.Integer({ default: 10000, minimum: 0, description: "Answers kept in memory: an equal request is not sent again" }),
};

const requestSchema = Type.Object(requestOptions);
export interface ClientOptions extends Static<typeof requestSchema> {
  baseUrl: string;
  headers?: Readonly<Record<string, string>>;
  cacheSize: number;
}

/** Longest wait before a further attempt, seconds, whatever the server asks for. */
const LONGEST_WAIT = 60;

/** What a server answers instead of a result; `wait` is how long it asks to be left alone, seconds. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    body: string,
    readonly wait: number,
  ) {
    super(`${status} ${body.slice(0, 300)}`.trim());
  }
}

/** Posts JSON to one server: limited in number and time, repeated where that can help, equal requests asked once. */
export class JsonClient {
  private readonly limit: <T>(act: () => Promise<T>) => Promise<T>;
  private readonly known = new Map<string, Promise<unknown>>();
  private readonly headers: Headers;

  /** `checked` names what to look at when the server refuses a request. */
  constructor(
    private readonly o: ClientOptions,
    private readonly checked = "baseUrl and model",
  ) {
    this.limit = pLimit(o.concurrency);
    const { apiKey, headers = {} } = o;
    this.headers = new Headers({
      "content-type": "application/json",
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    });
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
  }

  /** The value, a secret perhaps, is not repeated in the error. */
  private setHeader(name: string, value: string): void {
    try {
      this.headers.set(name, value);
    } catch {
      throw new ConfigError(`"${name}" with its value is no HTTP header`, {
        path: "headers",
        accepted: "a name without spaces, and one line of text",
      });
    }
  }

  /**
   * The server's answer at a path below the address; "" = at the address itself. Errors: `ServiceError` for what another attempt
   * cannot mend (a wrong key, an unknown model), any other error after the last attempt. An answer that `isUsable` refuses is
   * not kept.
   */
  post(path: string, body: object, isUsable: (answer: unknown) => boolean, signal?: AbortSignal): Promise<unknown> {
    const key = `${path} ${JSON.stringify(body)}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const answer = this.limit(() => this.attempts(path, body, signal));
    this.known.set(key, answer);
    const forget = () => this.known.delete(key);
    answer.then((value) => isUsable(value) || forget(), forget);
    // The oldest answers go first: a Map keeps the order of insertion.
    for (const old of this.known.keys()) {
      if (this.known.size <= Math.max(1, this.o.cacheSize)) break;
      this.known.delete(old);
    }
    return answer;
  }

  private attempts(path: string, body: object, signal?: AbortSignal): Promise<unknown> {
    const { retries, backoff } = this.o;
    return pRetry(() => this.attempt(path, body, signal), {
      signal,
      retries,
      minTimeout: backoff * 1000,
      maxTimeout: LONGEST_WAIT * 1000,
      randomize: true,
      onFailedAttempt: async ({ error, retriesLeft }) => {
        const wait = error instanceof Refusal ? error.wait : 0;
        if (retriesLeft > 0 && wait > 0) await new Promise((done) => setTimeout(done, Math.min(wait, LONGEST_WAIT) * 1000));
      },
    });
  }

  private async attempt(path: string, body: object, signal?: AbortSignal): Promise<unknown> {
    const { baseUrl, timeout } = this.o;
    const late = AbortSignal.timeout(timeout * 1000);
    const url = path === "" ? baseUrl : `${baseUrl.replace(/\/+$/, "")}/${path}`;
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method: "POST",
        headers: this.headers,
        body: JSON.stringify(body),
        signal: signal === undefined ? late : AbortSignal.any([late, signal]),
      });
      text = await response.text();
    } catch (cause) {
      throw new Error(`no answer: ${reasonOf(cause, timeout)}`, { cause });
    }
    if (response.ok) {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        throw new Error(`an answer that is no JSON: ${text.slice(0, 100)}`);
      }
    }
    const refusal = new Refusal(response.status, text, waitOf(response.headers.get("retry-after")));
    if (response.status === 408 || response.status === 429 || response.status >= 500) throw refusal;
    throw new AbortError(
      new ServiceError(`the server refuses the request: ${refusal.message}`, {
        path: url,
        hint: response.status === 401 || response.status === 403 ? "check apiKey and what the key may do" : `check ${this.checked}`,
      }),
    );
  }
}

/** Why a request got no answer: `fetch` itself says "fetch failed" and keeps the reason as a cause. */
function reasonOf(error: unknown, timeout: number): string {
  const { name, message, cause } = error as Error;
  if (name === "TimeoutError") return `nothing came within ${timeout} s`;
  const { code, message: inner } = (cause ?? {}) as NodeJS.ErrnoException;
  return code ?? inner ?? message;
}

/** Seconds of a Retry-After header: a number or a date. */
function waitOf(header: string | null): number {
  if (header === null) return 0;
  const seconds = Number(header);
  const wait = Number.isFinite(seconds) ? seconds : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(wait) ? Math.max(0, wait) : 0;
}
