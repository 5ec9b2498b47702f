import { once } from "node:events";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Worker } from "node:worker_threads";
import { type Expr, gradient, guard, input, iota, scatterAdd } from "@proximal/core";
import { expect } from "chai";
import { InferenceSession, listSupportedBackends, Tensor } from "onnxruntime-node";
import { graphDigest, type LowerOptions, lower, Session, type SessionOptions } from "../src/index.js";
import { ABORT_OUTPUT } from "../src/lowering/model.js";
import { operatorsOf } from "./support.js";

/** What the engine relies on beyond the documentation of onnxruntime-node. A new version must pass this before it is taken. */
describe("contract with onnxruntime-node", () => {
  const open = async (outputs: Record<string, Expr>, options: Omit<LowerOptions, "outputs"> & SessionOptions = {}) => {
    const session = await Session.create(lower({ outputs, ...options }), { threads: options.threads ?? 1 });
    sessions.push(session);
    return session;
  };
  const sessions: Session[] = [];
  afterEach(async () => {
    await Promise.all(sessions.splice(0).map((session) => session.release()));
  });

  const size = 1 << 20;
  const filled = (value: number, n = size) => new Tensor("float32", new Float32Array(n).fill(value), [n]);
  const p = input("p", [size]);
  const g = input("g", [size]);
  /** Every element of the new p depends on all of g, hence on all reads of p. */
  const update = { next: p.sub(g.mul(g.sum())) };

  setFlagsFromString("--expose-gc");
  const collectGarbage = runInNewContext("gc") as () => void;

  /** Bytes that a run adds to JavaScript's array buffers; the largest of three, as garbage may be collected meanwhile. */
  async function allocated(run: () => Promise<unknown>): Promise<number> {
    let most = 0;
    for (let repeat = 0; repeat < 3; repeat++) {
      collectGarbage();
      const before = process.memoryUsage().arrayBuffers;
      const result = await run();
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      expect(result).to.be.an("object");
    }
    return most;
  }

  it("writes a preallocated output in place, also into a tensor that is fed", async () => {
    const session = await open(update);
    const [params, grads] = [filled(1), filled(1 / size)];
    await session.run({ p: params, g: grads }, { next: params });
    expect(params.data[0]).to.equal(1 - 1 / size);
    expect(params.data[size - 1]).to.equal(1 - 1 / size);
  });

  it("hands out a copy of a preallocated output: the array that comes back is another one", async () => {
    const session = await InferenceSession.create(lower({ outputs: update }).bytes);
    const [params, grads] = [filled(1), filled(1)];
    const { next } = await session.run({ p: params, g: grads }, { next: params });
    expect(next!.data).not.to.equal(params.data);
    expect(next!.data).to.deep.equal(params.data);
    await session.release();
  });

  it("copies outputs that are not preallocated, and preallocated ones without the abort output", async () => {
    const session = await open(update);
    const feeds = { p: filled(1), g: filled(1) };
    const target = { next: filled(0) };
    expect(await allocated(() => session.run(feeds))).to.be.at.least(4 * size);
    expect(await allocated(() => session.run(feeds, target))).to.be.at.least(4 * size);
  });

  it("copies nothing when the abort output comes first, and computes the same", async () => {
    const session = await open(update, { abortOutput: true });
    const feeds = { p: filled(1), g: filled(1 / size) };
    const target = { next: filled(0) };
    expect(await allocated(() => session.run(feeds, target))).to.be.below(size);
    expect(target.next.data[size - 1]).to.equal(1 - 1 / size);
  });

  it("keeps a session usable after an aborted fetch, and tells a real failure from it", async () => {
    const rows = input("table", [4, 2]).gather(input("ids", [2], "int"));
    const session = await open({ rows }, { abortOutput: true });
    const table = new Tensor("float32", Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7), [4, 2]);
    const run = async (...ids: bigint[]) => {
      const target = new Tensor("float32", new Float32Array(4), [2, 2]);
      await session.run({ table, ids: new Tensor("int64", BigInt64Array.from(ids), [2]) }, { rows: target });
      return [...(target.data as Float32Array)];
    };
    expect(await run(1n, 3n)).to.deep.equal([2, 3, 6, 7]);
    const failure = await run(1n, 9n).catch((error: Error) => error.message);
    expect(failure).to.match(/^the graph failed: .*out of data bounds/);
    expect(await run(0n, 0n)).to.deep.equal([0, 1, 0, 1]);
  });

  it("throws exactly the message that stands for the abort output", async () => {
    const session = await InferenceSession.create(lower({ outputs: update, abortOutput: true }).bytes);
    const failure = await session.run({ p: filled(1), g: filled(1) }, { [ABORT_OUTPUT]: null }).catch((error: Error) => error.message);
    expect(failure).to.equal("Non tensor type is temporarily not supported.");
    await session.release();
  });

  it("adds up all updates of a scatter with two threads", async () => {
    const [V, N, D] = [200, 4096, 128];
    const ids = BigInt64Array.from({ length: N }, (_, i) => BigInt((i * 7919) % 61));
    const updates = Float32Array.from({ length: N * D }, (_, i) => ((i * 31) % 17) - 8);
    const expected = new Float64Array(V * D);
    ids.forEach((id, row) => {
      for (let d = 0; d < D; d++) expected[Number(id) * D + d]! += updates[row * D + d]!;
    });
    const session = await open({ table: scatterAdd(input("ids", [N], "int"), input("updates", [N, D]), 0, V) }, { threads: 2 });
    for (let repeat = 0; repeat < 5; repeat++) {
      const { table } = await session.run({ ids: new Tensor("int64", ids, [N]), updates: new Tensor("float32", updates, [N, D]) });
      expect(Float64Array.from(table!.data as Float32Array)).to.deep.equal(expected);
    }
  });

  // Another number of threads may give other bits: it changes how a product is cut into blocks.
  it("gives the same bits in every run and in another session with the same number of threads", async () => {
    const [B, D, V] = [64, 96, 200];
    const ids = input("ids", [B], "int");
    const table = input("table", [V, D]);
    const w = input("w", [D, D]);
    const hidden = table.gather(ids).matmul(w).tanh();
    const loss = hidden.matmul(table, { transposeB: true }).logSoftmax().gatherElements(ids.expandDims(-1)).mean();
    const outputs = Object.fromEntries(gradient(loss, [table, w]).map((x, i) => [`gradient${i}`, x]));
    const wave = (n: number) => Float32Array.from({ length: n }, (_, i) => Math.sin(i * 1.7) / 3);
    const feeds = {
      ids: new Tensor(
        "int64",
        BigInt64Array.from({ length: B }, (_, i) => BigInt((i * 13) % 40)),
        [B],
      ),
      table: new Tensor("float32", wave(V * D), [V, D]),
      w: new Tensor("float32", wave(D * D), [D, D]),
    };
    for (const threads of [1, 2]) {
      const results = new Set<string>();
      for (let session = 0; session < 2; session++) {
        const opened = await open(outputs, { threads });
        for (let repeat = 0; repeat < 5; repeat++) {
          const run = Object.values(await opened.run(feeds));
          results.add(run.map(({ data }) => graphDigest(new Uint8Array((data as Float32Array).buffer))).join());
        }
      }
      expect(results.size).to.equal(1);
    }
  });

  it("computes again what stands behind a guard, and merges equal nodes without one", async () => {
    const [x, w] = [input("x", [4, 8]), input("w", [8, 8])];
    const layer = (start: Expr) => start.matmul(w).tanh();
    const products = async (again: (later: Expr) => Expr) => {
      const loss = layer(layer(x)).sum();
      const file = join(await mkdtemp(join(tmpdir(), "proximal-")), "optimized.onnx");
      const { bytes } = lower({ outputs: { loss, again: layer(layer(again(loss))).mul(2) } });
      await (await InferenceSession.create(bytes, { optimizedModelFilePath: file, logSeverityLevel: 4 })).release();
      return operatorsOf({ bytes: await readFile(file) }).all.filter((operator) => operator === "MatMul").length;
    };
    expect(await products(() => x)).to.equal(2);
    expect(await products((later) => guard(x, later))).to.equal(4);
  });

  it("keeps the digits of constant factors of products in float64 graphs", async () => {
    const session = await open(
      {
        y: input("a", [1, 1])
          .div(3)
          .matmul(input("b", [1, 1])),
      },
      { dtype: "float64" },
    );
    const one = new Tensor("float64", Float64Array.of(1), [1, 1]);
    expect((await session.run({ a: one, b: one })).y!.data[0]).to.equal(1 / 3);
  });

  it("refuses arrays on shared memory, as input and as output", async () => {
    const session = await open({ y: input("x", [2]).add(1) });
    const shared = new Tensor("float32", new Float32Array(new SharedArrayBuffer(8)) as unknown as Float32Array<ArrayBuffer>, [2]);
    const plain = new Tensor("float32", new Float32Array(2), [2]);
    for (const [fed, fetched] of [
      [shared, null],
      [plain, shared],
    ] as const) {
      expect(await session.run({ x: fed }, { y: fetched }).catch((error: Error) => error.name)).to.equal("EngineError");
    }
  });

  it("reads a size that is symbolic in the graph from each run's feeds", async () => {
    const session = await open({ sum: input("x", ["N"]).add(iota("N").cast("float")).sum() });
    const sums = [];
    for (const n of [1, 5, 0]) sums.push((await session.run({ x: filled(1, n) })).sum!.data[0]);
    expect(sums).to.deep.equal([1, 15, 0]);
  });

  it("lists the providers of the installation", () => {
    expect(listSupportedBackends().map(({ name }) => name)).to.include("cpu");
  });

  it("runs in a worker thread, which may end while its session is live", async () => {
    const { bytes } = lower({ outputs: { y: input("x", [2]).mul(3) } });
    const worker = new Worker(
      `const { parentPort, workerData } = require("node:worker_threads");
       const { InferenceSession, Tensor } = require("onnxruntime-node");
       globalThis.session = InferenceSession.create(workerData);
       session.then((s) => s.run({ x: new Tensor("float32", Float32Array.of(1, 2), [2]) })).then(({ y }) => parentPort.postMessage(y.data));`,
      { eval: true, workerData: bytes },
    );
    const [data] = (await once(worker, "message")) as [Float32Array];
    expect([...data]).to.deep.equal([3, 6]);
    await worker.terminate();
    const { y } = await (await open({ y: input("x", [2]).mul(2) })).run({ x: new Tensor("float32", Float32Array.of(1, 2), [2]) });
    expect([...(y!.data as Float32Array)]).to.deep.equal([2, 4]);
  });
});
