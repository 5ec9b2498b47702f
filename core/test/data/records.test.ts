import { rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { expect } from "chai";
import { parquetWriteBuffer } from "hyparquet-writer";
import { CharTokenizer, DataError, loadDataSet, loadDataSets, openRecords, type RecordSource } from "../../src/index.js";
import { temporaryFolder } from "../doubles/runs.js";

const all = ({ size, at }: RecordSource) => Array.from({ length: size }, (_, i) => at(i));
const facts = { tokenizer: new CharTokenizer(), contextLength: 40, maxTokens: 8, answerRequired: true };
const COUNT = 300;
const records = Array.from({ length: COUNT }, (_, i) => ({ prompt: `${i}+1=`, answer: `${i + 1}`, level: i % 3 }));
const parquet = (rows: typeof records, rowGroupSize = 64): Uint8Array => {
  const columns = (["prompt", "answer", "level"] as const).map((name) => ({
    name,
    data: rows.map((row) => row[name]),
    type: name === "level" ? ("INT32" as const) : ("STRING" as const),
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData: columns, rowGroupSize }));
};

describe("records", () => {
  let folder: string;
  before(() => {
    folder = temporaryFolder();
  });
  after(() => rmSync(folder, { recursive: true }));
  const write = (name: string, content: string | Uint8Array): string => {
    const file = join(folder, name);
    writeFileSync(file, content);
    return file;
  };

  const contents = {
    jsonl: records.map((record) => JSON.stringify(record)).join("\n"),
    json: JSON.stringify(records),
    csv: ["prompt,answer,level", ...records.map(({ prompt, answer, level }) => `${prompt},${answer},${level}`)].join("\r\n"),
    parquet: parquet(records),
  };
  const places = { jsonl: "line 300", json: "$[299]", csv: "line 301", parquet: "row 300" };
  for (const [suffix, content] of Object.entries(contents)) {
    it(`of .${suffix} are the same whether they stay in memory or on disk, and know their place`, async () => {
      const file = write(`a.${suffix}`, content);
      const [small, large] = [await openRecords(file, 500), await openRecords(file)];
      expect(all(small)).to.deep.equal(all(large));
      const level = suffix === "csv" ? "2" : 2;
      expect(small.at(299)).to.deep.equal({
        fields: { prompt: "299+1=", answer: "300", level },
        place: places[suffix as keyof typeof places],
      });
    });

    it(`of .${suffix} give the same prompts, identities and split whatever the memory`, async () => {
      const file = write(`a.${suffix}`, content);
      const load = (memory: number) => loadDataSets({ train: file, evalFraction: 0.1, memory, contamination: "off" }, facts, 3);
      const [small, large] = [await load(0.001), await load(10)];
      expect([small.train.size, small.held!.size]).to.deep.equal([270, 30]);
      expect(small.train.prompts).to.deep.equal(large.train.prompts);
      expect(small.held!.prompts).to.deep.equal(large.held!.prompts);
      expect(small.train.get(7)).to.deep.equal(small.train.get(7));
    });
  }

  it("on disk are left out for their length like those in memory", async () => {
    const file = write("long.jsonl", records.map((r, i) => JSON.stringify(i % 2 ? { ...r, prompt: "1".repeat(99) } : r)).join("\n"));
    const [small, large] = await Promise.all([0.001, 10].map((memory) => loadDataSet(file, { overlong: "drop", memory }, facts)));
    expect([small!.size, small!.dropped]).to.deep.equal([150, 150]);
    expect(small!.prompts).to.deep.equal(large!.prompts);
  });

  it("of JSON lines may be parted by blank lines, end in carriage returns, begin with a mark and span blocks of the file", async () => {
    const long = "é".repeat(700_000);
    const file = write("b.jsonl", `\uFEFF{"prompt":"1"}\r\n\n  \t\r\n{"prompt":"${long}"}\n\n{"prompt":"3"}   \n`);
    const found = all(await openRecords(file, 1));
    expect(found.map(({ fields, place }) => [fields.prompt, place])).to.deep.equal([
      ["1", "line 1"],
      [long, "line 4"],
      ["3", "line 6"],
    ]);
  });

  it("of a file that is cut while it is in use are an error, not half a record", async () => {
    const file = write("cut.jsonl", contents.jsonl);
    const source = await openRecords(file, 1);
    writeFileSync(file, "");
    expect(() => source.at(5)).to.throw(DataError, "was cut");
  });

  it("of Parquet are numbers, texts, lists and objects as JSON has them", async () => {
    const columnData = [
      { name: "big", data: [1n, 9007199254740993n] },
      { name: "list", data: [["a"], ["b", "c"]] },
      { name: "nested", data: [{ x: { y: 1 } }, { x: { y: 2 } }], type: "JSON" as const },
    ];
    const file = write("c.parquet", new Uint8Array(parquetWriteBuffer({ columnData })));
    expect(all(await openRecords(file)).map(({ fields }) => fields)).to.deep.equal([
      { big: 1, list: ["a"], nested: { x: { y: 1 } } },
      { big: "9007199254740993", list: ["b", "c"], nested: { x: { y: 2 } } },
    ]);
  });

  it("of a damaged Parquet file are an error that names it", async () => {
    const file = write("d.parquet", contents.parquet.slice(0, -20));
    const error: unknown = await openRecords(file).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(DataError);
    expect((error as DataError).describe()).to.match(/d\.parquet: the Parquet file cannot be read/);
  });
});

describe("data sets of a hub", () => {
  let server: Server;
  let folder: string;
  let asked: string[];
  let base: string;
  const saved = { HF_ENDPOINT: process.env.HF_ENDPOINT, HF_TOKEN: process.env.HF_TOKEN, PROXIMAL_CACHE: process.env.PROXIMAL_CACHE };
  const publicUrl = (path: string) => `https://huggingface.co/api/datasets/${path}`;
  const listings: Record<string, object> = {
    "/api/datasets/some/sums/parquet": {
      main: {
        train: [publicUrl("some/sums/parquet/main/train/0"), publicUrl("some/sums/parquet/main/train/1")],
        test: [publicUrl("test")],
      },
    },
    "/api/datasets/some/two/parquet": { easy: { test: [] }, hard: { test: [], validation: [] } },
  };
  beforeEach(async () => {
    folder = temporaryFolder();
    asked = [];
    server = createServer(({ url = "", headers }, response) => {
      asked.push(`${url} ${headers.authorization ?? ""}`.trim());
      if (url in listings) return response.end(JSON.stringify(listings[url]));
      const part = url.endsWith("/0") ? records.slice(0, 100) : url.endsWith("/1") ? records.slice(100) : undefined;
      if (part !== undefined) return response.end(parquet(part));
      response.statusCode = 404;
      return response.end();
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    Object.assign(process.env, { HF_ENDPOINT: base, HF_TOKEN: "secret", PROXIMAL_CACHE: folder });
  });
  afterEach(async () => {
    await new Promise((done) => server.close(done));
    rmSync(folder, { recursive: true });
    for (const [name, value] of Object.entries(saved)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  it("are downloaded once from HF_ENDPOINT, with the token, and read from the cache afterwards without a network", async () => {
    const first = all(await openRecords("hub:some/sums"));
    expect(first.map(({ fields }) => fields)).to.deep.equal(records);
    expect(first.at(-1)!.place).to.equal("row 300");
    expect(asked).to.deep.equal(
      [
        "/api/datasets/some/sums/parquet",
        "/api/datasets/some/sums/parquet/main/train/0",
        "/api/datasets/some/sums/parquet/main/train/1",
      ].map((url) => `${url} Bearer secret`),
    );
    const count = asked.length;
    expect(all(await openRecords("hub:some/sums/main/train"))).to.deep.equal(first);
    expect(asked.length).to.equal(count);
  });

  const mistakes: [string, string, RegExp][] = [
    ["a data set that is not there", "hub:some/none", /hub:some\/none: the hub has no such data set[\s\S]*given: +http:[\s\S]*HF_ENDPOINT/],
    ["a name that is none", "hub:sums", /this names no data set of a hub[\s\S]*hub:owner\/name/],
    ["a config to be chosen", "hub:some/two", /several configs[\s\S]*accepted: +easy, hard/],
    ["a config that is not there", "hub:some/two/hart", /has no config "hart"[\s\S]*did you mean "hard"\?/],
    ["a split that is not there", "hub:some/sums/main/tset", /has no split "tset"[\s\S]*did you mean "test"\?/],
  ];
  for (const [what, file, message] of mistakes) {
    it(`refuse ${what} and say what there is`, async () => {
      const error: unknown = await openRecords(file).catch((e: unknown) => e);
      expect(error).to.be.instanceOf(DataError);
      expect((error as DataError).describe()).to.match(message);
    });
  }

  it("whose hub cannot be reached are an error that names the address", async () => {
    process.env.HF_ENDPOINT = "http://127.0.0.1:1";
    const error: unknown = await openRecords("hub:some/sums").catch((e: unknown) => e);
    expect((error as DataError).describe()).to.match(/the hub cannot be reached[\s\S]*127\.0\.0\.1:1/);
  });

  it("are read from the cache under HF_HUB_OFFLINE, and what is not there is refused without asking", async () => {
    const first = all(await openRecords("hub:some/sums"));
    process.env.HF_HUB_OFFLINE = "1";
    try {
      asked = [];
      expect(all(await openRecords("hub:some/sums"))).to.deep.equal(first);
      const error: unknown = await openRecords("hub:some/two").catch((e: unknown) => e);
      expect((error as DataError).describe()).to.match(/HF_HUB_OFFLINE says that no hub may be asked[\s\S]*name a local file/);
      expect(asked).to.deep.equal([]);
    } finally {
      delete process.env.HF_HUB_OFFLINE;
    }
  });

  it("leave no file that looks whole when a download breaks off", async () => {
    server.removeAllListeners("request");
    server.on("request", ({ url = "" }, response) => {
      if (url in listings) return response.end(JSON.stringify(listings[url]));
      response.writeHead(200, { "content-length": "1000" });
      response.write("half");
      return setTimeout(() => response.destroy(), 20);
    });
    const error: unknown = await openRecords("hub:some/sums").catch((e: unknown) => e);
    expect(error).to.be.instanceOf(DataError);
    expect((error as DataError).message).to.match(/the download broke off/);
  });
});
