import { appendFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { get, type IncomingHttpHeaders, request } from "node:http";
import { join } from "node:path";
import { UsageError } from "@proximal/core";
import { expect } from "chai";
import { type RunningDashboard, startDashboard } from "../src/index.js";
import { MetricsFile } from "../src/server/metrics-file.js";
import { correlation } from "../src/server/rollout-view.js";
import type { MetricsPage, RowTokens, RunDetails, RunEntry, StepRelation, StepSamples, Tick } from "../src/web/api.js";
import { metricsOf, temporaryFolder, writeRun } from "./fixture.js";

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

describe("the dashboard's server", () => {
  let root: string;
  let dashboard: RunningDashboard;
  let port: number;
  before(async () => {
    root = temporaryFolder();
    writeRun(join(root, "runs"), { id: "a", finished: true });
    writeRun(join(root, "runs"), { id: "deep/b", steps: 3 });
    writeRun(root, { id: "outside" });
    symlinkSync(join(root, "outside"), join(root, "runs", "link"));
    mkdirSync(join(root, "runs", "no-run"));
    writeFileSync(join(root, "runs", "no-run", "config.json"), "{}");
    dashboard = await startDashboard(join(root, "runs"), { port: 0 });
    port = Number(new URL(dashboard.url).port);
  });
  after(async () => {
    await dashboard.close();
    rmSync(root, { recursive: true });
  });

  /** A request as it is written: no path is normalised on the way. */
  const send = (path: string, { method = "GET", headers = {}, at = port } = {}): Promise<Answer> =>
    new Promise((done, fail) => {
      const asked = request({ host: "127.0.0.1", port: at, path, method, headers }, (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => {
          body += part;
        });
        response.on("end", () => done({ status: response.statusCode!, headers: response.headers, body }));
      });
      asked.on("error", fail);
      asked.end();
    });
  const json = async <T>(path: string): Promise<T> => JSON.parse((await send(path)).body) as T;

  it("listens on this machine only, and finds the runs below the folder without following links", async () => {
    expect(dashboard.url).to.match(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    const runs = await json<RunEntry[]>("/api/runs");
    expect(runs.map(({ id }) => id)).to.have.members(["a", "deep/b"]);
    const [a, b] = ["a", "deep/b"].map((id) => runs.find((run) => run.id === id)!);
    expect(a).to.include({ status: "finished", steps: 20, planned: 20, algorithm: "grpo", seed: 7, accuracy: 0.3 });
    expect(b).to.include({ status: "running", steps: 3, accuracy: 0.5 });
  });

  const refused: [promise: string, path: string, status: number, headers?: Record<string, string>, method?: string][] = [
    ["another host name (DNS rebinding)", "/", 403, { host: "attacker.example" }],
    ["another host name at the right port", "/api/runs", 403, { host: "attacker.example:6340" }],
    ["a request that another page makes", "/api/runs", 403, { "sec-fetch-site": "cross-site" }],
    ["a page of another port of this machine", "/api/runs", 403, { "sec-fetch-site": "same-site" }],
    ["writing", "/api/runs", 405, {}, "POST"],
    ["deleting", "/api/metrics?run=a", 405, {}, "DELETE"],
    ["a path upwards", "/web/../../package.json", 404],
    ["an encoded path upwards", "/web/%2e%2e/%2e%2e/package.json", 404],
    ["an absolute path", "//etc/passwd", 404],
    ["an address that is none", "//", 400],
    ["a run upwards", "/api/details?run=../outside", 404],
    ["a run behind a link", "/api/details?run=link", 404],
    ["a run by its full path", "/api/details?run=/etc", 404],
    ["a folder that is no run", "/api/details?run=no-run", 404],
    ["a file of a run", "/a/config.json", 404],
    ["an unknown question", "/api/__proto__?run=a", 404],
    ["a step that is no number", "/api/samples?run=a&step=../1", 400],
    ["a step that does not exist", "/api/samples?run=a&step=99", 400],
  ];
  for (const [promise, path, status, headers, method] of refused) {
    it(`refuses ${promise} with ${status}`, async () => {
      const answer = await send(path, { headers: headers ?? {}, method: method ?? "GET" });
      expect(answer.status).to.equal(status);
      expect(answer.body).not.to.match(/root:|at .*\.js|\/tmp/);
    });
  }

  it("answers a visit from a link elsewhere, and its own page's requests", async () => {
    const visit = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" };
    expect((await send("/", { headers: visit })).status).to.equal(200);
    expect((await send("/api/runs", { headers: { "sec-fetch-site": "same-origin" } })).status).to.equal(200);
  });

  it("sends a policy under which nothing comes from elsewhere, and every module that its page names", async () => {
    const { headers, body } = await send("/");
    expect(headers["content-security-policy"]).to.include("default-src 'none'").and.include("frame-ancestors 'none'");
    expect(headers["x-content-type-options"]).to.equal("nosniff");
    const { imports } = JSON.parse(/<script type="importmap">(.*?)<\/script>/.exec(body)![1]!) as { imports: Record<string, string> };
    for (const file of [...Object.values(imports), "/web/main.js", "/web/app.js", "/look.css", "/page.css", "/uplot.css", "/icon.svg"]) {
      expect((await send(file)).status, file).to.equal(200);
    }
  });

  it("asks for the token where others can connect, and takes it from the address or the cookie", async () => {
    const open = await startDashboard(join(root, "runs"), { host: "0.0.0.0", port: 0 });
    const url = new URL(open.url);
    const at = Number(url.port);
    const token = url.searchParams.get("token")!;
    try {
      expect(token).to.match(/^[0-9a-f]{32}$/);
      expect((await send("/api/runs", { at })).status).to.equal(401);
      expect((await send("/api/runs?token=wrong", { at })).status).to.equal(401);
      const page = await send(`/?token=${token}`, { at });
      expect(page.headers["set-cookie"]![0]).to.include("HttpOnly").and.include("SameSite=Strict");
      expect((await send("/api/runs", { at, headers: { cookie: page.headers["set-cookie"]![0]!.split(";")[0]! } })).status).to.equal(200);
    } finally {
      await open.close();
    }
  });

  it("gives metrics from where the page stopped, and all of them when the run was started over", async () => {
    const all = await json<MetricsPage>("/api/metrics?run=a&from=0");
    expect(all.records).to.have.length(20);
    expect(all.records[0]).to.include({ step: 1, loss: null, "evalStart.accuracy": 0.5 });
    const rest = await json<MetricsPage>(`/api/metrics?run=a&from=18&generation=${all.generation}`);
    expect(rest.records.map(({ step }) => step)).to.deep.equal([19, 20]);
    expect((await json<MetricsPage>("/api/metrics?run=a&from=18&generation=other")).records).to.have.length(20);
  });

  it("gives a step's samples by group, and tokens with the rule that limited them", async () => {
    const { components, groups } = await json<StepSamples>("/api/samples?run=a&step=2");
    expect(components).to.deep.equal(["exact-match", "judge"]);
    expect(groups.map(({ rows }) => rows.map(({ row }) => row))).to.deep.equal([
      [0, 1],
      [2, 3],
    ]);
    expect(groups[0]!.rows[0]).to.include({ text: "first", reward: 1.9, correct: 1, length: 3, advantage: 1, limited: 1 });
    expect(groups[1]!.rows[1]).to.include({ advantage: null, limited: 0 });
    const [first, second] = await json<RowTokens[]>("/api/tokens?run=a&step=2&group=0");
    expect(first!.texts).to.deep.equal(["one", " two", "<eos>"]);
    expect(first!.ratio).to.deep.equal([1, 1.5, 1]);
    expect(first!.limitedBy).to.deep.equal([null, "clipHigh", null]);
    expect(second!.ids).to.deep.equal([1, 2, 3, 4, 0]);
    const [, untrained] = await json<RowTokens[]>("/api/tokens?run=a&step=2&group=1");
    expect(untrained).to.include({ advantage: null, ratio: null, limitedBy: null });
  });

  it("says what drives the reward, what stands out, and how length goes with it", async () => {
    const { shares, warnings, events, steps, config } = await json<RunDetails>("/api/details?run=a");
    expect(shares.map(({ name }) => name)).to.deep.equal(["judge", "exact-match"]);
    expect(shares[0]!.contribution).to.be.closeTo(0.8, 1e-9);
    expect(warnings.map(({ title }) => title)).to.deep.equal([
      "The reward rises, the held-out accuracy falls",
      "The component judge drives the reward",
      "Responses grow",
    ]);
    expect(events).to.deep.equal([{ step: 2, kind: "rollback", source: "entropy-watch", message: "back to step 1" }]);
    expect(steps).to.have.length(20);
    expect(config).to.have.property("seed", 7);
    const relation = await json<StepRelation[]>("/api/relation?run=a");
    expect(relation.map(({ step }) => step)).to.include.members([1, 20]);
    expect(relation[0]).to.include({ length: 4.25 });
  });

  it("streams the runs and the use of the machine", async () => {
    const tick = await new Promise<Tick>((done) => {
      const stream = get({ host: "127.0.0.1", port, path: "/api/events" }, (response) => {
        response.setEncoding("utf8");
        response.once("data", (text: string) => {
          stream.destroy();
          done(JSON.parse(text.replace(/^data: /, "")) as Tick);
        });
      });
    });
    expect(tick.runs.map(({ id }) => id)).to.include("a");
    expect(tick.system.memoryTotal).to.be.greaterThan(tick.system.memoryUsed);
  });

  const mistakes: [promise: string, folder: string, flags: object, ...texts: string[]][] = [
    ["a folder that does not exist", "no-such-folder", {}, "there is no such folder"],
    ["an address of another machine", "runs", { host: "192.0.2.1" }, "this machine has no such address"],
  ];
  for (const [promise, folder, flags, text] of mistakes) {
    it(`answers ${promise} with a sentence`, async () => {
      const error = await startDashboard(join(root, folder), flags).catch((cause: unknown) => cause);
      expect(error).to.be.instanceOf(UsageError);
      expect((error as UsageError).describe()).to.include(text);
    });
  }

  it("takes the next port when its own is taken, and says so when a given one is", async () => {
    const first = await startDashboard(join(root, "runs"));
    const second = await startDashboard(join(root, "runs"));
    expect(second.url).not.to.equal(first.url);
    const error = await startDashboard(join(root, "runs"), { port: Number(new URL(first.url).port) }).catch((cause: unknown) => cause);
    expect((error as UsageError).describe()).to.include("is taken");
    const none = await startDashboard(join(root, "runs"), { port: 99999 }).catch((cause: unknown) => cause);
    expect((none as UsageError).describe()).to.match(/there is no port 99999\n {2}accepted: a port from 1024 to 65535/);
    await first.close();
    await second.close();
  });
});

describe("a file of metrics that grows", () => {
  it("gives whole lines only, each once, and starts over when it shrinks", () => {
    const root = temporaryFolder();
    const { folder, path } = writeRun(root, { steps: 2 });
    const file = new MetricsFile(join(path, "metrics.jsonl"));
    expect(file.all()).to.have.length(2);
    appendFileSync(join(path, "metrics.jsonl"), '{"step":3,"name":"');
    expect(file.all()).to.have.length(2);
    appendFileSync(join(path, "metrics.jsonl"), 'é"}\n');
    expect(file.all().map(({ step }) => step)).to.deep.equal([1, 2, 3]);
    const { generation } = file;
    writeFileSync(join(path, "metrics.jsonl"), `${JSON.stringify(metricsOf(1))}\n`);
    expect(file.all().map(({ step }) => step)).to.deep.equal([1]);
    expect(file.generation).not.to.equal(generation);
    expect(new MetricsFile(join(root, "none.jsonl")).all()).to.deep.equal([]);
    folder.close();
    rmSync(root, { recursive: true });
  });
});

describe("correlation", () => {
  const cases: [x: (number | null)[], y: (number | null)[], r: number | null][] = [
    [[1, 2, 3], [2, 4, 6], 1],
    [[1, 2, 3], [6, 4, 2], -1],
    [[1, 2, 3, null], [2, 4, 6, 9], 1],
    [[1, 2, 3], [5, 5, 5], null],
    [[1, 2], [1, 2], null],
    [[1, 2, 3, 4], [1, -1, -1, 1], 0],
  ];
  for (const [x, y, r] of cases)
    it(`of ${JSON.stringify(x)} and ${JSON.stringify(y)} is ${r}`, () => expect(correlation(x, y)).to.equal(r));
});
