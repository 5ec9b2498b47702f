import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProximalError } from "@proximal/core";
import { expect } from "chai";
import { type DownloadProgress, downloadModel } from "../src/index.js";

const ID = "someone/tiny";

/** A Hub of one model. Files above 1000 bytes are named by SHA-256, others by Git's SHA-1. */
class MockHub {
  files: Record<string, Buffer> = {};
  /** Bytes after which the connection breaks, by file; once. */
  breaks: Record<string, number> = {};
  /** Files that are sent with another content. */
  forged = new Set<string>();
  status = 200;
  requests: { path: string; range: string | undefined; token: string | undefined }[] = [];
  private server: Server | undefined;

  async start(): Promise<string> {
    this.server = createServer((request, response) => {
      const url = new URL(request.url!, "http://localhost");
      const [, path] = /^\/someone\/tiny\/resolve\/main\/(.+)$/.exec(url.pathname) ?? [];
      const { range, authorization: token } = request.headers;
      this.requests.push({ path: path ?? url.pathname, range, token });
      if (this.status !== 200) {
        response.writeHead(this.status, { "content-type": "application/json" }).end(JSON.stringify({ error: "no" }));
      } else if (path === undefined) {
        const entries = Object.entries(this.files).map(([name, content]) => ({
          type: "file",
          path: name,
          size: content.length,
          oid: createHash("sha1").update(`blob ${content.length}\0`).update(content).digest("hex"),
          ...(content.length > 1000
            ? { lfs: { oid: createHash("sha256").update(content).digest("hex"), size: content.length, pointerSize: 130 } }
            : {}),
        }));
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(entries));
      } else this.send(path, range, response);
    });
    await new Promise<void>((done) => this.server!.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private send(path: string, range: string | undefined, response: Parameters<Parameters<typeof createServer>[1] & object>[1]): void {
    const content = this.forged.has(path) ? Buffer.from(this.files[path]!).fill(1) : this.files[path]!;
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
    const part = from === undefined ? content : content.subarray(Number(from), Number(to) + 1);
    response.writeHead(from === undefined ? 200 : 206, {
      etag: '"x"',
      "content-length": part.length,
      ...(from === undefined ? {} : { "content-range": `bytes ${from}-${to}/${content.length}` }),
    });
    const limit = this.breaks[path];
    if (limit === undefined || part.length === 1) response.end(part);
    else {
      delete this.breaks[path];
      response.write(part.subarray(0, limit), () => setTimeout(() => response.destroy(), 20));
    }
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((done) => this.server?.close(done));
  }
}

const failure = async (act: Promise<unknown>): Promise<string> => {
  const error = await act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).to.be.instanceOf(ProximalError);
  return (error as ProximalError).describe();
};

describe("a download from the Hub", () => {
  let [hub, endpoint, folder] = [new MockHub(), "", ""];
  beforeEach(async () => {
    hub = new MockHub();
    endpoint = await hub.start();
    folder = mkdtempSync(join(tmpdir(), "hub-"));
    hub.files = {
      "config.json": Buffer.from('{"model_type": "llama"}'),
      "tokenizer.json": Buffer.from("{}"),
      "tokenizer_config.json": Buffer.from("{}"),
      "model.safetensors": Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => i % 251)),
      "pytorch_model.bin": Buffer.alloc(2000),
      "README.md": Buffer.from("# tiny"),
    };
  });
  afterEach(async () => {
    await hub.stop();
    rmSync(folder, { recursive: true });
  });
  const download = (options: Parameters<typeof downloadModel>[1] = {}) => downloadModel(ID, { endpoint, out: folder, ...options });
  const sent = (path: string) => hub.requests.filter((request) => request.path === path && request.range !== "bytes=0-0");

  it("brings what a model needs, byte for byte, and tells its progress", async () => {
    const progress: DownloadProgress[] = [];
    const { files, received } = await download({ onProgress: (now) => progress.push(now) });
    const names = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"];
    expect([...files].sort()).to.deep.equal(names);
    expect(readdirSync(folder).sort()).to.deep.equal(names);
    for (const name of names) expect(readFileSync(join(folder, name)).equals(hub.files[name]!), name).to.equal(true);
    const total = names.reduce((sum, name) => sum + hub.files[name]!.length, 0);
    expect(received).to.equal(total);
    expect(progress.at(-1)).to.include({ totalReceived: total, totalSize: total });
  });

  it("asks for no file that is there already", async () => {
    await download();
    hub.requests = [];
    expect((await download()).received).to.equal(0);
    expect(hub.requests).to.have.length(1);
  });

  it("fetches a file again whose content is another", async () => {
    await download();
    writeFileSync(join(folder, "tokenizer.json"), "[]");
    await download();
    expect(readFileSync(join(folder, "tokenizer.json"), "utf8")).to.equal("{}");
  });

  it("goes on where it broke off", async () => {
    hub.breaks["model.safetensors"] = 100_000;
    expect(await failure(download()))
      .to.match(/broke off after \d+ of 300000 bytes/)
      .and.match(/run the command again/);
    expect(existsSync(join(folder, "model.safetensors"))).to.equal(false);
    hub.requests = [];
    const { received } = await download();
    const from = Number(/^bytes=(\d+)-299999$/.exec(sent("model.safetensors")[0]!.range!)![1]);
    expect(from).to.be.within(1, 100_000);
    expect(received).to.be.at.most(300_000 - from + 100);
    expect(readFileSync(join(folder, "model.safetensors")).equals(hub.files["model.safetensors"]!)).to.equal(true);
    expect(readdirSync(folder).filter((name) => name.endsWith(".partial"))).to.deep.equal([]);
  });

  for (const [what, file] of [
    ["SHA-256", "model.safetensors"],
    ["Git's SHA-1", "config.json"],
  ] as const) {
    it(`keeps nothing of a file that does not match its checksum: ${what}`, async () => {
      hub.forged.add(file);
      expect(await failure(download()))
        .to.match(/does not match the checksum/)
        .and.include(join(folder, file));
      expect(readdirSync(folder).filter((name) => name.startsWith(file))).to.deep.equal([]);
    });
  }

  it("takes one of several GGUF files by name, and asks for it", async () => {
    hub.files = { "a-Q8_0.gguf": Buffer.alloc(1500, 1), "sub/a-Q4_0.gguf": Buffer.alloc(1200, 2) };
    expect(await failure(download()))
      .to.match(/no parameters as safetensors/)
      .and.match(/a-Q8_0\.gguf/)
      .and.match(/--file/);
    expect(await failure(download({ files: ["b.gguf"] })))
      .to.match(/no such file/)
      .and.match(/a-Q8_0\.gguf/);
    expect((await download({ files: ["sub/a-Q4_0.gguf"] })).files).to.deep.equal(["sub/a-Q4_0.gguf"]);
    expect(readFileSync(join(folder, "sub", "a-Q4_0.gguf")).length).to.equal(1200);
  });

  it("sends the token that it is given", async () => {
    await download({ token: "hf_secret" });
    expect(new Set(hub.requests.map(({ token }) => token))).to.deep.equal(new Set(["Bearer hf_secret"]));
  });

  it("writes no file outside of its folder", async () => {
    hub.files = { "../escaped.safetensors": Buffer.alloc(10) };
    expect(await failure(download())).to.match(/outside of the model's folder/);
    expect(existsSync(join(folder, "..", "escaped.safetensors"))).to.equal(false);
  });

  for (const [what, status, message] of [
    ["an unknown model", 404, /no such model or revision/],
    ["a model behind conditions", 401, /HF_TOKEN/],
    ["a Hub in trouble", 503, /status 503/],
  ] as const) {
    it(`${what} is an error that says what to do`, async () => {
      hub.status = status;
      expect(await failure(download()))
        .to.match(message)
        .and.include(ID);
    });
  }

  it("a Hub that cannot be reached and a name that is none are errors", async () => {
    expect(await failure(download({ endpoint: "http://127.0.0.1:9" })))
      .to.match(/cannot be reached/)
      .and.match(/HF_ENDPOINT/);
    expect(await failure(downloadModel("tiny", { endpoint, out: folder }))).to.match(/OWNER\/NAME/);
  });
});
