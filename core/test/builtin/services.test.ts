import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import { HashedNgrams, instantiate, OpenAIEmbedder, OpenAIJudge, ServiceError, scoreOf, TokenOverlapJudge } from "../../src/index.js";

interface Answer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Milliseconds. */
  delay?: number;
}
interface Asked {
  path: string;
  authorization: string | undefined;
  body: { messages?: { content: string }[]; input?: string[]; model: string };
}

const read = async (request: IncomingMessage): Promise<string> => {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return text;
};

const said = (content: string): Answer => ({ body: { choices: [{ message: { content } }] } });

describe("the client of an OpenAI-compatible server", function () {
  this.timeout(30000);
  let server: Server;
  let asked: Asked[];
  let busiest: number;
  let answer: (asked: Asked, count: number) => Answer;

  beforeEach(async () => {
    [asked, busiest] = [[], 0];
    let busy = 0;
    server = createServer(async (request, response) => {
      busiest = Math.max(busiest, ++busy);
      const { authorization } = request.headers;
      asked.push({ path: request.url!, authorization, body: JSON.parse(await read(request)) as Asked["body"] });
      const { status = 200, body = {}, headers = {}, delay = 0 } = answer(asked.at(-1)!, asked.length);
      await new Promise((done) => setTimeout(done, delay));
      busy--;
      response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body));
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const options = (more: object = {}) => ({
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`,
    model: "m",
    backoff: 0,
    retries: 2,
    ...more,
  });
  const judge = (more: object = {}) => instantiate(OpenAIJudge, options(more));
  const embedder = (more: object = {}) => instantiate(OpenAIEmbedder, options(more));
  const request = { prompt: "1+1", completion: "2", rubric: "Right?", references: ["two"] };
  const thrown = async (act: Promise<unknown>): Promise<ServiceError> => {
    const error: unknown = await act.then(
      () => null,
      (cause: unknown) => cause,
    );
    expect(error).instanceOf(ServiceError);
    return error as ServiceError;
  };

  it("sends task, answer, references and rubric, and the key as a header alone", async () => {
    answer = () => said('Fine. {"score": 7.5}');
    expect(await judge({ apiKey: "k" }).grade([request])).to.deep.equal([0.75]);
    const [{ path, authorization, body }] = asked as [Asked];
    expect([path, authorization, body.model]).to.deep.equal(["/v1/chat/completions", "Bearer k", "m"]);
    const [system, user] = body.messages!.map(({ content }) => content);
    expect(system).to.contain("from 0 (worst) to 10 (best)");
    for (const part of ["1+1", "<answer>\n2\n</answer>", "two", "Right?"]) expect(user).to.contain(part);
    await judge().grade([{ ...request, prompt: "other" }]);
    expect(asked[1]!.authorization).to.equal(undefined);
  });

  const flaws: [name: string, answers: Answer[], expected: number | null, attempts: number][] = [
    ["429, then an answer", [{ status: 429 }, said('{"score": 10}')], 1, 2],
    ["a server error twice, then an answer", [{ status: 500 }, { status: 503 }, said("5")], 0.5, 3],
    ["a server error at every attempt", [{ status: 500 }], null, 3],
    ["a connection that is slower than the timeout", [{ ...said("5"), delay: 1500 }], null, 3],
    ["a reply without a score", [said("good")], null, 1],
    ["a score out of range", [said('{"score": 11}')], null, 1],
    ["an answer of another shape", [{ body: { choices: "no" } }], null, 1],
    ["an answer that is no JSON", [{ body: "<html>" }], null, 3],
  ];
  for (const [name, answers, expected, attempts] of flaws) {
    it(`grades ${expected === null ? "null" : expected} after ${name}`, async () => {
      answer = (_, count) => answers[Math.min(count, answers.length) - 1]!;
      expect(await judge({ timeout: 0.5 }).grade([request])).to.deep.equal([expected]);
      expect(asked.length).to.equal(attempts);
    });
  }

  it("waits as long as the server asks for", async () => {
    answer = (_, count) => (count === 1 ? { status: 429, headers: { "retry-after": "1" } } : said("5"));
    const start = performance.now();
    expect(await judge().grade([request])).to.deep.equal([0.5]);
    expect(performance.now() - start).to.be.above(950);
  });

  for (const [status, hint] of [
    [401, "apiKey"],
    [403, "apiKey"],
    [404, "model"],
    [400, "model"],
  ] as const) {
    it(`stops the run at ${status}: another attempt would not help`, async () => {
      answer = () => ({ status, body: { error: "no" } });
      const error = await thrown(judge({ apiKey: "secret-key" }).grade([request]));
      expect(error.describe()).to.contain(String(status)).and.contain(hint).and.not.contain("secret-key");
      expect(asked.length).to.equal(1);
    });
  }

  it("asks an equal request once, again when it failed, and forgets the oldest", async () => {
    answer = (_, count) => said(count === 1 ? "what?" : "5");
    const model = judge({ cacheSize: 2 });
    expect(await model.grade([request])).to.deep.equal([null]);
    expect(await model.grade([request, request, request])).to.deep.equal([0.5, 0.5, 0.5]);
    expect(asked.length).to.equal(2);
    await model.grade([
      { ...request, prompt: "a" },
      { ...request, prompt: "b" },
    ]);
    await model.grade([request]);
    expect(asked.length).to.equal(5);
  });

  it("has no more requests open than allowed", async () => {
    answer = () => ({ ...said("5"), delay: 20 });
    await judge({ concurrency: 3 }).grade(Array.from({ length: 12 }, (_, i) => ({ ...request, prompt: `${i}` })));
    expect(busiest).to.equal(3);
  });

  it("embeds each text once, in batches, in order, scaled to unit length", async () => {
    answer = ({ body }) => ({
      body: { data: body.input!.map((text, index) => ({ index, embedding: [text.length * 3, text.length * 4] })).reverse() },
    });
    const model = embedder({ batchSize: 2 });
    expect(await model.embed(["a", "bb", "a", "ccc"])).to.deep.equal(new Array(4).fill([0.6, 0.8]));
    expect(asked.map(({ path, body }) => [path, body.input])).to.deep.equal([
      ["/v1/embeddings", ["a", "bb"]],
      ["/v1/embeddings", ["ccc"]],
    ]);
    await model.embed(["bb", "ccc"]);
    expect(asked.length).to.equal(2);
  });

  for (const [name, body] of [
    ["too few vectors", { data: [] }],
    ["a vector that is none", { data: [{ index: 0, embedding: "x" }] }],
    ["a vector without length", { data: [{ index: 0, embedding: [0, 0] }] }],
    ["a number that is none", { data: [{ index: 0, embedding: [1, null] }] }],
    ["something else", []],
  ] as const) {
    it(`stops the run when the embedding server answers with ${name}`, async () => {
      answer = () => ({ body });
      expect((await thrown(embedder().embed(["a"]))).message).to.contain("vector");
    });
  }

  it("stops the run when the embedding server does not answer", async () => {
    answer = () => ({ status: 500 });
    expect((await thrown(embedder().embed(["a"]))).message).to.contain("500");
  });
});

describe("the score of a reply", () => {
  const table: [reply: string, score: number | null][] = [
    ['{"score": 3}', 0.3],
    ['It says {"score": 9}, but no. {"score": 2}', 0.2],
    ['{"score": "4"}', 0.4],
    [" 10 \n", 1],
    ["-1", null],
    ["ten", null],
    ["8 of 10", null],
    ["", null],
  ];
  for (const [reply, score] of table) it(`${JSON.stringify(reply)} is ${score}`, () => expect(scoreOf(reply, 0, 10)).to.equal(score));
});

describe("the embedding without a model", () => {
  const model = instantiate(HashedNgrams, {});
  const dot = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

  it("gives unit vectors, the same for the same text, also for a text without letters", async () => {
    const texts = ["", "x", "The quick brown fox", "日本語"];
    const vectors = await model.embed(texts);
    for (const vector of vectors) expect(dot(vector, vector)).to.be.closeTo(1, 1e-12);
    expect(await model.embed([...texts].reverse())).to.deep.equal([...vectors].reverse());
  });

  it("puts texts that are written alike nearer than others", async () => {
    const [a, b, c, d] = (await model.embed([
      "add the two numbers, then carry",
      "Add the numbers, then carry.",
      "roses are red",
      "violets are blue",
    ])) as [number[], number[], number[], number[]];
    expect(dot(a, b)).to.be.above(0.7);
    expect(Math.abs(dot(a, c))).to.be.below(0.2);
    expect(dot(c, d)).to.be.below(dot(a, b));
  });
});

describe("the rule that stands for a judge", () => {
  const table: [name: string, request: Parameters<TokenOverlapJudge["grade"]>[0][number], grade: number][] = [
    ["an equal answer", { prompt: "", completion: "The sky.", references: ["the sky."] }, 1],
    ["the nearest of several references", { prompt: "", completion: "a b", references: ["c", "a b c"] }, 0.8],
    ["nothing in common", { prompt: "", completion: "x", references: ["y"] }, 0],
    ["digits one by one", { prompt: "", completion: "641", references: ["541"] }, 2 / 3],
    ["no reference: what it takes up of the prompt", { prompt: "12+34", completion: "1 + 2" }, 0.6],
  ];
  for (const [name, request, grade] of table) {
    it(`grades ${name}`, async () => expect((await new TokenOverlapJudge().grade([request]))[0]).to.be.closeTo(grade, 1e-12));
  }
});
