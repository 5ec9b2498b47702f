import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProximalError } from "@proximal/core";
import { expect } from "chai";
import { type DownloadProgress, downloadModel } from "../src/index.js";
import { ID, LocalHub } from "./hub.js";

const failure = async (act: Promise<unknown>): Promise<string> => {
  const error = await act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).to.be.instanceOf(ProximalError);
  return (error as ProximalError).describe();
};

describe("a download from the Hub", () => {
  let [hub, endpoint, folder] = [new LocalHub(), "", ""];
  beforeEach(async () => {
    hub = new LocalHub();
    endpoint = await hub.start();
    folder = mkdtempSync(join(tmpdir(), "hub-"));
    hub.files = {
      "config.json": Buffer.from('{"model_type": "llama"}'),
      "tokenizer.json": Buffer.from("{}"),
      "tokenizer_config.json": Buffer.from("{}"),
      "model.safetensors": Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => i % 251)),
      "consolidated.safetensors": Buffer.alloc(2000),
      "pytorch_model.bin": Buffer.alloc(2000),
      "README.md": Buffer.from("# tiny"),
    };
  });
  afterEach(async () => {
    await hub.stop();
    rmSync(folder, { recursive: true });
  });
  const download = (options: Parameters<typeof downloadModel>[1] = {}) => downloadModel(ID, { endpoint, out: folder, ...options });
  /** Requests that brought a file, or a part of it, from where it lies. */
  const sent = (path: string) =>
    hub.requests.filter((request) => request.path === path && request.isStore && request.range !== "bytes=0-0");

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

  it("takes all parts of a GGUF file that is stored in several", async () => {
    const parts = [1, 2, 3].map((i) => `a-0000${i}-of-00003.gguf`);
    hub.files = Object.fromEntries(parts.map((path) => [path, Buffer.alloc(1100, path)]));
    expect((await download({ files: [parts[0]!] })).files).to.deep.equal(parts);
    expect(readdirSync(folder).sort()).to.deep.equal(parts);
  });

  it("sends its token to the Hub, and not to the servers that large files lie on", async () => {
    hub.needs = "hf_secret";
    hub.isListed = false;
    await download({ token: "hf_secret" });
    const tokens = (isStore: boolean) => new Set(hub.requests.filter((request) => request.isStore === isStore).map(({ token }) => token));
    expect(tokens(false)).to.deep.equal(new Set(["Bearer hf_secret"]));
    expect(tokens(true)).to.deep.equal(new Set([undefined]));
  });

  it("takes Hub and token from HF_ENDPOINT and HF_TOKEN, and asks nobody under HF_HUB_OFFLINE", async () => {
    const before = { ...process.env };
    try {
      hub.needs = "hf_secret";
      Object.assign(process.env, { HF_ENDPOINT: `${endpoint}/`, HF_TOKEN: "hf_secret" });
      expect((await downloadModel(ID, { out: folder })).files).to.include("config.json");
      hub.requests = [];
      process.env.HF_HUB_OFFLINE = "1";
      expect(await failure(downloadModel(ID, { out: folder }))).to.match(/HF_HUB_OFFLINE[\s\S]*another machine/);
      expect(hub.requests).to.deep.equal([]);
      delete process.env.HF_HUB_OFFLINE;
      process.env.HF_TOKEN = "secret";
      expect(await failure(downloadModel(ID, { out: folder }))).to.match(/HF_TOKEN[\s\S]*hf_/);
      process.env.HF_ENDPOINT = "mirror.example";
      expect(await failure(downloadModel(ID, { out: folder }))).to.match(/HF_ENDPOINT[\s\S]*mirror\.example/);
    } finally {
      process.env = before;
    }
  });

  it("reads lists of several pages, and empty files", async () => {
    hub.page = 2;
    hub.files["special_tokens_map.json"] = Buffer.alloc(0);
    expect((await download()).files).to.have.length(5);
    expect(readFileSync(join(folder, "special_tokens_map.json")).length).to.equal(0);
  });

  it("brings large files whole where the Hub offers them by the Xet protocol too", async () => {
    hub.isXet = true;
    await download();
    expect(readFileSync(join(folder, "model.safetensors")).equals(hub.files["model.safetensors"]!)).to.equal(true);
  });

  it("takes a branch whose name has a slash, and every file of it", async () => {
    hub.revisions.push("refs/pr/1");
    expect((await download({ revision: "refs/pr/1" })).files).to.have.length(4);
  });

  it("writes no file outside of its folder", async () => {
    hub.files = { "../escaped.gguf": Buffer.alloc(10) };
    expect(await failure(download({ files: ["../escaped.gguf"] }))).to.match(/outside of the model's folder/);
    expect(existsSync(join(folder, "..", "escaped.gguf"))).to.equal(false);
  });

  const refusals: readonly [what: string, change: () => Parameters<typeof downloadModel>[1], message: RegExp][] = [
    [
      "a model that is not there, or private",
      () => void Object.assign(hub, { needs: "hf_a", isListed: false }),
      /no such model, or does not show it[\s\S]*HF_TOKEN/,
    ],
    ["a revision that is not there", () => ({ revision: "v9" }), /--revision: the model has no such revision[\s\S]*v9[\s\S]*tree\/main/],
    [
      "a model behind conditions, without a token",
      () => void Object.assign(hub, { needs: "hf_a" }),
      /accept its conditions[\s\S]*someone\/tiny[\s\S]*HF_TOKEN/,
    ],
    [
      "a model behind conditions that the account has not accepted",
      () => {
        Object.assign(hub, { needs: "hf_a", isRefused: true });
        return { token: "hf_a" };
      },
      /the account of the access token[\s\S]*accept its conditions/,
    ],
    [
      "a token that is not valid",
      () => {
        Object.assign(hub, { needs: "hf_a" });
        return { token: "hf_b" };
      },
      /does not accept the access token[\s\S]*settings\/tokens/,
    ],
    ["a Hub that is asked too often", () => void Object.assign(hub, { status: 429 }), /no more requests[\s\S]*minutes/],
    ["a Hub in trouble", () => void Object.assign(hub, { status: 503 }), /status 503/],
  ];
  for (const [what, change, message] of refusals) {
    it(`${what} is an error that says what to do`, async () => {
      expect(await failure(download(change() ?? {}))).to.match(message);
    });
  }

  it("a Hub that cannot be reached and a name that is none are errors", async () => {
    expect(await failure(download({ endpoint: "http://127.0.0.1:9" })))
      .to.match(/cannot be reached/)
      .and.match(/HF_ENDPOINT/);
    expect(await failure(downloadModel("tiny", { endpoint, out: folder }))).to.match(/OWNER\/NAME/);
  });
});
