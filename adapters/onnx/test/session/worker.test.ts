import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { EngineError } from "@proximal/core";
import { expect } from "chai";
import { transfer, WorkerHost } from "../../src/index.js";
import type { Fixture } from "./worker-fixture.js";

const entry = new URL("./worker-fixture.js", import.meta.url);

async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not fail");
}

describe("an engine in a worker", () => {
  const hosts: WorkerHost<Fixture>[] = [];
  const events: unknown[] = [];
  const start = (data: object = { base: 100 }) => {
    const host = new WorkerHost<Fixture>(entry, { data, onEvent: (event) => events.push(event) });
    hosts.push(host);
    return host;
  };
  afterEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.close()));
    events.length = 0;
  });

  it("answers calls with the engine's results", async () => {
    expect(await start().call("add", 1, 2)).to.equal(103);
  });

  it("answers in the order of the calls, each after the one before it", async () => {
    const host = start();
    const answers = await Promise.all([host.call("note", "slow", 30), host.call("note", "fast", 0), host.call("note", "last", 0)]);
    expect(answers).to.deep.equal([["slow"], ["slow", "fast"], ["slow", "fast", "last"]]);
  });

  it("moves buffers that are marked for transfer, in both directions", async () => {
    const values = Float32Array.of(1, 2, 3);
    const result = await start().call("double", transfer(values, [values.buffer]));
    expect([...result.values]).to.deep.equal([2, 4, 6]);
    expect(values.length).to.equal(0);
  });

  it("copies what is not marked", async () => {
    const values = Float32Array.of(1, 2, 3);
    await start().call("double", values);
    expect([...values]).to.deep.equal([1, 2, 3]);
  });

  it("delivers the engine's events", async () => {
    await start().call("double", Float32Array.of(1, 2, 3));
    expect(events).to.deep.equal([{ doubled: 3 }]);
  });

  it("carries a user's mistake over with its class and details", async () => {
    const error = await failureOf(start().call("refuse"));
    expect(error).to.be.instanceOf(EngineError);
    expect((error as EngineError).details).to.deep.equal({ given: "12", accepted: ["cpu"] });
  });

  it("carries an unexpected error over with its stack", async () => {
    const error = await failureOf(start().call("stumble"));
    expect(error).to.include({ name: "TypeError", message: "x is undefined" });
    expect(error.stack).to.include("worker-fixture");
  });

  it("reports an engine that cannot be built at each call", async () => {
    const host = start({ base: 0, broken: true });
    expect(await failureOf(host.call("add", 1, 2)))
      .to.be.instanceOf(EngineError)
      .with.property("message", "no such model");
    expect(await failureOf(host.call("add", 1, 2))).to.have.property("message", "no such model");
  });

  it("names a method that does not exist, and calls none of Object's", async () => {
    const host = start() as unknown as WorkerHost<Record<string, () => void>>;
    expect((await failureOf(host.call("fly"))).message).to.equal("the engine has no method fly");
    expect((await failureOf(host.call("toString"))).message).to.equal("the engine has no method toString");
  });

  it("rejects open and later calls when the worker exits", async () => {
    const host = start();
    const [first, second] = await Promise.all([failureOf(host.call("exit", 3)), failureOf(host.call("add", 1, 2))]);
    for (const error of [first, second, await failureOf(host.call("add", 1, 2))]) {
      expect(error).to.be.instanceOf(EngineError);
      expect(error.message).to.equal("the engine's worker has ended (exit code 3)");
    }
  });

  it("rejects open calls when an error outside of a call ends the worker", async () => {
    const error = await failureOf(start().call("throwLater"));
    expect(error).to.be.instanceOf(EngineError);
    expect(error.message).to.equal("the engine's worker failed: out of band");
  });

  it("closes after the calls before it, closing the engine, and refuses later ones", async () => {
    const host = start();
    const note = host.call("note", "last", 20);
    await host.close();
    expect(await note).to.deep.equal(["last"]);
    expect(events).to.deep.equal(["closed"]);
    expect((await failureOf(host.call("add", 1, 2))).message).to.equal("the engine has been closed");
  });

  it("terminates a worker that does not close in time", async () => {
    const host = start();
    const spin = failureOf(host.call("spin"));
    const error = await failureOf(host.close({ timeout: 50 }));
    expect(error.message).to.equal("the engine's worker did not close within 50 ms and was terminated");
    expect(await spin).to.be.instanceOf(EngineError);
  });

  it("does not keep the process alive while idle, whatever flags the process has", async () => {
    const host = new URL("../../src/index.js", import.meta.url);
    const script = `
      import { WorkerHost } from ${JSON.stringify(host.href)};
      const host = new WorkerHost(new URL(${JSON.stringify(entry.href)}), { data: { base: 1 } });
      console.log(await host.call("add", 1, 1));`;
    const folder = mkdtempSync(join(tmpdir(), "proximal-worker-"));
    const file = join(folder, "main.mjs");
    writeFileSync(file, script);
    for (const flags of [
      ["--input-type=module", "-e", script],
      ["--max-old-space-size=512", "--input-type=module", "-e", script],
      ["--max-old-space-size=512", file],
    ]) {
      const { stdout } = await promisify(execFile)(process.execPath, flags, { timeout: 20_000 });
      expect(stdout.trim(), flags.join(" ")).to.equal("3");
    }
    rmSync(folder, { recursive: true });
  });
});
