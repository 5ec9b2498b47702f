import { rmSync } from "node:fs";
import { instantiate, UsageError } from "@proximal/core";
import { expect } from "chai";
import { MlflowExporter } from "../src/index.js";
import { recordOf, runIn, temporaryFolder, timeOf } from "./fixture.js";
import { TrackingServer } from "./tracking-server.js";

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
