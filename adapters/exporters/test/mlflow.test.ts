import { rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { instantiate, UsageError } from "@proximal/core";
import { expect } from "chai";
import { MlflowExporter } from "../src/index.js";
import { recordOf, runIn, temporaryFolder, timeOf } from "./fixture.js";

interface Call {
  call: string;
  body: Record<string, unknown>;
  authorization: string | undefined;
}

/** Answers as a tracking server does, and writes the calls down. */
class TrackingServer {
  readonly calls: Call[] = [];
  experiments: Record<string, string> = {};
  refuses: string | undefined;
  private server: Server | undefined;

  async start(): Promise<string> {
    this.server = createServer((request, response) => {
      let text = "";
      request.on("data", (part: Buffer) => {
        text += part.toString();
      });
      request.on("end", () => {
        const url = new URL(request.url!, "http://localhost");
        const call = url.pathname.replace("/api/2.0/mlflow/", "");
        const body = (text === "" ? Object.fromEntries(url.searchParams) : JSON.parse(text)) as Record<string, unknown>;
        this.calls.push({ call, body, authorization: request.headers.authorization });
        const [status, answer] = this.answer(call, body);
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((done) => this.server!.listen(0, "127.0.0.1", done));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private answer(call: string, body: Record<string, unknown>): [number, unknown] {
    if (call === this.refuses) return [400, { error_code: "INVALID_PARAMETER_VALUE", message: "no such thing" }];
    if (call === "experiments/get-by-name") {
      const id = this.experiments[String(body.experiment_name)];
      return id === undefined ? [404, { error_code: "RESOURCE_DOES_NOT_EXIST" }] : [200, { experiment: { experiment_id: id } }];
    }
    if (call === "experiments/create") return [200, { experiment_id: "3" }];
    if (call === "runs/create") return [200, { run: { info: { run_id: "r1" } } }];
    return [200, {}];
  }

  of(call: string): Record<string, unknown>[] {
    return this.calls.filter((made) => made.call === call).map(({ body }) => body);
  }
}

describe("the MLflow exporter", () => {
  let root: string;
  let server: TrackingServer;
  let url: string;
  beforeEach(async () => {
    root = temporaryFolder();
    server = new TrackingServer();
    url = await server.start();
  });
  afterEach(() => {
    server.stop();
    rmSync(root, { recursive: true });
  });
  const mlflow = (options: object = {}) => instantiate(MlflowExporter, { url, ...options });

  it("makes experiment and run, with the config as parameters and every metric at its step and time", async () => {
    const exporter = mlflow();
    await exporter.open(runIn(root));
    await exporter.write([recordOf(1), recordOf(2, { "eval.pass@1": 0.5 })]);
    await exporter.close("finished");
    expect(server.of("experiments/create")).to.deep.equal([{ name: "proximal" }]);
    expect(server.of("runs/create")[0]).to.include({ experiment_id: "3", run_name: "sums" });
    const [params, metrics] = server.of("runs/log-batch");
    expect(params!.params).to.deep.include({ key: "optimizer.learningRate", value: "0.0003" });
    expect(params!.params).to.deep.include({ key: "rewards.0.use", value: "exact-match" });
    expect(metrics).to.deep.equal({
      run_id: "r1",
      metrics: [
        { key: "reward", value: 0.125, timestamp: timeOf(1), step: 1 },
        { key: "reward", value: 0.25, timestamp: timeOf(2), step: 2 },
        { key: "eval.pass_1", value: 0.5, timestamp: timeOf(2), step: 2 },
      ],
    });
    expect(server.of("runs/update")[0]).to.include({ run_id: "r1", status: "FINISHED" });
  });

  it("uses an experiment that exists, and goes on with the run of a continued one", async () => {
    server.experiments = { mine: "9" };
    const first = mlflow({ experiment: "mine" });
    await first.open(runIn(root));
    await first.close("stopped");
    expect(server.of("runs/create")[0]).to.include({ experiment_id: "9" });
    expect(server.of("runs/update")[0]).to.include({ status: "KILLED" });
    const second = mlflow({ experiment: "mine" });
    await second.open(runIn(root, 5));
    await second.write([recordOf(6)]);
    expect(server.of("runs/create")).to.have.length(1);
    expect(server.of("runs/update")[1]).to.include({ run_id: "r1", status: "RUNNING" });
    expect(server.of("runs/log-batch").at(-1)).to.include({ run_id: "r1" });
  });

  it("makes no second run when its start is tried again", async () => {
    const exporter = mlflow();
    server.refuses = "runs/log-batch";
    await exporter.open(runIn(root)).catch(() => undefined);
    server.refuses = undefined;
    await exporter.open(runIn(root));
    expect(server.of("runs/create")).to.have.length(1);
    expect(server.of("runs/log-batch").at(-1)).to.include({ run_id: "r1" });
  });

  it("keeps to the limits of a request", async () => {
    const exporter = mlflow();
    await exporter.open(runIn(root));
    const many = Object.fromEntries(Array.from({ length: 1500 }, (_, i) => [`m${i}`, i]));
    await exporter.write([recordOf(1, many)]);
    const sizes = server
      .of("runs/log-batch")
      .slice(1)
      .map(({ metrics }) => (metrics as unknown[]).length);
    expect(sizes).to.deep.equal([1000, 501]);
  });

  const logins: [what: string, options: object, header: string | undefined][] = [
    ["nothing", {}, undefined],
    ["a token", { accessToken: "t0" }, "Bearer t0"],
    ["user and password", { user: "ada", password: "pw" }, `Basic ${Buffer.from("ada:pw").toString("base64")}`],
  ];
  for (const [what, options, header] of logins) {
    it(`signs in with ${what}`, async () => {
      await mlflow(options).open(runIn(root));
      expect(new Set(server.calls.map(({ authorization }) => authorization))).to.deep.equal(new Set([header]));
    });
  }

  it("says what the server refused, and which server does not answer", async () => {
    server.refuses = "runs/create";
    const refused = await mlflow()
      .open(runIn(root))
      .catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(UsageError);
    expect((refused as Error).message).to.include("runs/create with 400: no such thing");
    const silent = await instantiate(MlflowExporter, { url: "http://127.0.0.1:9" })
      .open(runIn(root))
      .catch((error: unknown) => error);
    expect((silent as Error).message).to.match(/^http:\/\/127\.0\.0\.1:9 does not answer: /);
  });
});
