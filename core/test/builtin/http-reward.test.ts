import { rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { ConfigError, HttpReward, instantiate, type RewardItem, ServiceError, trainingStep } from "../../src/index.js";
import { gateOnly, place, tabularRun, temporaryFolder } from "../doubles/runs.js";

interface Asked {
  formatVersion: number;
  step: number;
  items: RewardItem[];
}
interface Answer {
  status?: number;
  body?: unknown;
  /** Milliseconds. */
  delay?: number;
}

const lengths = ({ items }: Asked): Answer => ({ body: { rewards: items.map(({ completion }) => completion.length) } });

describe("a reward that a server gives", function () {
  this.timeout(30_000);
  let root: string;
  let server: Server;
  let url: string;
  let asked: { body: Asked; headers: NodeJS.Dict<string | string[]> }[];
  let busiest: number;
  let answer: (body: Asked, count: number) => Answer;

  beforeEach(async () => {
    root = temporaryFolder();
    [asked, busiest, answer] = [[], 0, lengths];
    let busy = 0;
    server = createServer(async (request, response) => {
      busiest = Math.max(busiest, ++busy);
      let text = "";
      for await (const chunk of request) text += String(chunk);
      const body = JSON.parse(text) as Asked;
      const { status = 200, body: said = {}, delay = 0 } = answer(body, asked.push({ body, headers: request.headers }));
      await new Promise((done) => setTimeout(done, delay));
      busy--;
      response.writeHead(status).end(typeof said === "string" ? said : JSON.stringify(said));
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/score`;
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
    rmSync(root, { recursive: true });
  });

  const run = (options: object = {}, failure: object = {}) => {
    const limits = { timeoutSeconds: null, retries: 0, onFailure: "stop", ...failure } as const;
    const component = place(HttpReward, { url, backoff: 0, requestRetries: 2, ...options });
    return tabularRun(root, { composition: { ...gateOnly(), rewards: [{ ...component, weight: 1, inner: [], failure: limits }] } });
  };
  const step = (options: object = {}, failure: object = {}) => trainingStep(run(options, failure), 0);
  const failureOf = async (options: object = {}): Promise<ServiceError> => {
    const error: unknown = await step(options).catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(ServiceError);
    return error as ServiceError;
  };

  it("sends prompt, completion, golds and the record of every response; null leaves the response out", async () => {
    answer = ({ items }) => ({ body: { rewards: items.map(({ truncated }) => (truncated ? null : 1)) } });
    const { sampled, metrics } = await step({ headers: { "X-Team": "a" }, apiKey: "k" });
    const [{ body, headers }] = asked as [(typeof asked)[0]];
    expect([body.formatVersion, body.step]).to.deep.equal([1, 0]);
    expect(body.items.map(({ completion }) => completion)).to.deep.equal(sampled.strings("completions"));
    const [first] = body.items as [RewardItem];
    expect(first.prompt).to.match(/^\d\+1=$/);
    expect(first.fields).to.deep.include({ prompt: first.prompt, answer: first.golds[0] });
    expect(headers).to.include({ "content-type": "application/json", authorization: "Bearer k", "x-team": "a" });
    expect(metrics.unverifiable)
      .to.equal(body.items.filter(({ truncated }) => truncated).length)
      .and.above(0);
  });

  it("has no more requests open than allowed, and each reward stays with its response whichever answer comes first", async () => {
    answer = (body, count) => ({ ...lengths(body), delay: 40 - 7 * (count % 5) });
    const { sampled } = await step({ batchSize: 2, concurrency: 3 });
    expect([...sampled.f64("rewards")]).to.deep.equal(sampled.strings("completions").map((text) => text.length));
    expect(asked.length).to.equal(sampled.rows / 2);
    expect(Math.max(...asked.map(({ body }) => body.items.length))).to.equal(2);
    expect(busiest).to.equal(3);
  });

  it("writes the named parts of a reward that the server gives, null where one answer lacks them", async () => {
    answer = ({ items }, count) => ({
      body: { rewards: items.map(() => 1), ...(count === 1 ? { components: { polite: items.map(() => 0.5) } } : {}) },
    });
    const { sampled, metrics } = await step({ batchSize: 3, concurrency: 1 });
    expect([...sampled.f64("http.polite")]).to.deep.equal(Array.from({ length: sampled.rows }, (_, row) => (row < 3 ? 0.5 : Number.NaN)));
    expect(metrics["reward.http.polite"]).to.equal(0.5);
  });

  const mended: [what: string, first: Answer, attempts: number][] = [
    ["503", { status: 503 }, 2],
    ["429", { status: 429 }, 2],
    ["something that is no JSON", { body: "<html>" }, 2],
    ["nothing in time", { delay: 2500 }, 2],
  ];
  for (const [what, first, attempts] of mended) {
    it(`asks again after ${what}`, async () => {
      answer = (body, count) => (count === 1 ? first : lengths(body));
      const { sampled } = await step({ timeout: 1 });
      expect([...sampled.f64("rewards")]).to.deep.equal(sampled.strings("completions").map((text) => text.length));
      expect(asked.length).to.equal(attempts);
    });
  }

  const mistakes: [what: string, said: Answer, attempts: number, told: RegExp][] = [
    ["a server error at every attempt", { status: 503, body: "busy" }, 3, /could not be scored: 503 busy[\s\S]*accepted: status 200/],
    ["a wrong address", { status: 404, body: "what?" }, 1, /refuses the request: 404 what\?[\s\S]*check url and headers/],
    ["a request that the server refuses", { status: 401 }, 1, /refuses the request: 401[\s\S]*check apiKey/],
    ["nothing in time", { delay: 2500 }, 3, /nothing came within 1 s/],
    ["an answer that is no JSON", { body: "<html>" }, 3, /an answer that is no JSON: <html>/],
    ["an answer without rewards", { body: { reward: [1] } }, 1, /gives no list rewards\n {2}given: {4}{"reward":\[1\]}/],
    ["null", { body: null }, 1, /gives no list rewards/],
    ["too few rewards", { body: { rewards: [1] } }, 1, /gives 1 rewards for \d+ responses/],
    ["a component of another length", { body: { rewards: [1, 2], components: { a: [1] } } }, 1, /gives 1 a for 2 responses/],
    ["components that are no lists", { body: { rewards: [1, 2], components: { a: 1 } } }, 1, /gives no list a/],
    ["a text in place of a number", { body: { rewards: [1, "high"] } }, 1, /gives "high" as rewards\[1\], which is no number/],
    ["a number that is not finite", { body: '{"rewards":[1e999, 1]}' }, 1, /as rewards\[0\], which is no number/],
  ];
  for (const [what, said, attempts, told] of mistakes) {
    it(`stops the run at ${what}, with address and what is accepted`, async () => {
      answer = () => said;
      const error = await failureOf({ timeout: 1, batchSize: what.startsWith("too") ? 64 : 2, concurrency: 1 });
      expect(error.describe()).to.match(told).and.include(url);
      expect(asked.length, "requests").to.equal(attempts);
    });
  }

  it("names the address of a server that is not there", async () => {
    server.close();
    const error = await failureOf();
    expect(error.describe())
      .to.include(`${url}: the responses could not be scored: no answer: ECONNREFUSED`)
      .and.include("is the server running?");
  });

  it("leaves the responses out where the config says so", async () => {
    answer = () => ({ status: 500 });
    const { metrics, sampled } = await step({}, { onFailure: "unverifiable", retries: 1 });
    expect(metrics["http.failed"]).to.equal(sampled.rows);
    expect(asked.length).to.equal(6);
  });

  it("refuses a header that cannot be sent, and keeps its value to itself", () => {
    const build = () => instantiate(HttpReward, { url, headers: { "x-key": "hidden\nvalue" } });
    expect(build).to.throw(ConfigError, /"x-key" with its value is no HTTP header/);
    expect(build).to.not.throw(/hidden/);
  });
});
