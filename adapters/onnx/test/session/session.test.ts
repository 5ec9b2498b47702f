import { EngineError, type Expr, external, hashExprs, input, tensor } from "@proximal/core";
import { expect } from "chai";
import { Tensor } from "onnxruntime-node";
import { availableProviders, graphDigest, lower, type Provider, Session, SessionCache, sessionKey } from "../../src/index.js";
import { loop } from "../../src/lowering/loop.js";
import { numbers, runGraph } from "../support.js";

const x = input("x", [2]);
const two = () => new Tensor("float32", Float32Array.of(1, 2), [2]);
const graph = lower({ outputs: { y: x.mul(2), z: x.add(1) } });

async function failureOf(promise: Promise<unknown>): Promise<EngineError> {
  const error = await promise.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).to.be.instanceOf(EngineError);
  return error as EngineError;
}

describe("session", () => {
  it("names its inputs and outputs, and computes only what is fetched", async () => {
    const session = await Session.create(graph);
    expect(session.inputNames).to.deep.equal(["x"]);
    expect(session.outputNames).to.deep.equal(["y", "z"]);
    expect(Object.keys(await session.run({ x: two() }))).to.deep.equal(["y", "z"]);
    expect(Object.keys(await session.run({ x: two() }, ["z"]))).to.deep.equal(["z"]);
    await session.release();
  });

  it("mixes new and preallocated outputs", async () => {
    const session = await Session.create(lower({ outputs: { y: x.mul(2), z: x.add(1) }, abortOutput: true }));
    const y = new Tensor("float32", new Float32Array(2), [2]);
    const results = await session.run({ x: two() }, { y, z: null });
    expect(results.y).to.equal(y);
    expect([numbers(y), numbers(results.z!)]).to.deep.equal([
      [2, 4],
      [2, 3],
    ]);
    await session.release();
  });

  it("says which inputs are missing and which outputs do not exist", async () => {
    const session = await Session.create(graph);
    expect((await failureOf(session.run({}))).message).to.equal("inputs are missing: x");
    const error = await failureOf(session.run({ x: two() }, ["y", "w"]));
    expect([error.message, error.details.accepted]).to.deep.equal(["the graph has no output w", ["y", "z"]]);
    await session.release();
  });

  it("ignores feeds that the graph does not read", async () => {
    const session = await Session.create(graph);
    expect(numbers((await session.run({ x: two(), unused: two() })).y!)).to.deep.equal([2, 4]);
    await session.release();
  });

  it("finishes a run before it is released, and refuses later ones", async () => {
    const session = await Session.create(graph);
    const run = session.run({ x: two() });
    await session.release();
    expect(numbers((await run).y!)).to.deep.equal([2, 4]);
    expect((await failureOf(session.run({ x: two() }))).message).to.equal("the session has been released");
    await session.release();
  });

  it("reports a graph that the runtime does not take", async () => {
    const broken = lower({ outputs: { y: external("NoSuchOperator", [x], [{ shape: [2], dtype: "float" }])[0]! } });
    expect((await failureOf(Session.create(broken))).message).to.match(/^the runtime refuses the graph: .*NoSuchOperator/);
  });

  it("names the providers that there are when CUDA is not installed, and how to install it", async function () {
    if (availableProviders().includes("cuda")) this.skip();
    const error = await failureOf(Session.create(graph, { provider: "cuda" }));
    expect(error.message).to.equal("the execution provider cuda is not available");
    expect(error.details.accepted).to.deep.equal(availableProviders());
    expect(error.details.hint).to.include("--onnxruntime-node-install=cuda12");
  });

  it("runs on WebGPU or says that there is none, and never elsewhere", async () => {
    const session = await Session.create(lower({ outputs: { y: x.mul(2) }, profile: "webgpu" }), { provider: "webgpu" }).catch(
      (error: unknown) => error,
    );
    if (session instanceof Session) {
      expect(numbers((await session.run({ x: two() })).y!)).to.deep.equal([2, 4]);
      return;
    }
    expect(session).to.be.instanceOf(EngineError);
    expect((session as EngineError).message).to.equal("the execution provider webgpu is not available");
    expect((session as EngineError).details.accepted)
      .to.include("cpu")
      .and.not.include("webgpu");
  });

  it("refuses a provider that it does not know", async () => {
    const error = await failureOf(Session.create(graph, { provider: "tpu" as Provider }));
    expect([error.message, error.details.accepted]).to.deep.equal(["tpu is no execution provider", ["cpu", "cuda", "webgpu"]]);
  });

  it("takes fixed inputs into the graph", async () => {
    const w = input("w", [2, 2]);
    const fixed = lower({ outputs: { y: x.reshape([1, 2]).matmul(w) }, fixed: { w: [1, 2, 3, 4] } });
    expect(fixed.inputs.map(({ name }) => name)).to.deep.equal(["x"]);
    expect(numbers((await runGraph(fixed, { x: tensor([1, 2]) })).y!)).to.deep.equal([7, 10]);
  });
});

describe("session cache", () => {
  const open = () => Session.create(graph);

  it("keeps the session while the key stays the same", async () => {
    const cache = new SessionCache();
    const first = await cache.get("update", "a", open);
    expect(await cache.get("update", "a", open)).to.equal(first);
    await cache.release();
  });

  it("releases a role's session when another key is asked for, and leaves other roles alone", async () => {
    const cache = new SessionCache<"update" | "score">();
    const [update, score] = [await cache.get("update", "a", open), await cache.get("score", "a", open)];
    const next = await cache.get("update", "b", open);
    expect((await failureOf(update.run({ x: two() }))).message).to.equal("the session has been released");
    expect(numbers((await score.run({ x: two() })).y!)).to.deep.equal([2, 4]);
    expect(numbers((await next.run({ x: two() })).y!)).to.deep.equal([2, 4]);
    await cache.release();
    expect((await failureOf(score.run({ x: two() }))).message).to.equal("the session has been released");
  });

  it("opens once for calls that arrive together", async () => {
    const cache = new SessionCache();
    let opened = 0;
    const count = () => {
      opened++;
      return open();
    };
    await Promise.all([cache.get("update", "a", count), cache.get("update", "a", count)]);
    expect(opened).to.equal(1);
    await cache.release();
  });

  it("forgets a session that could not be opened", async () => {
    const cache = new SessionCache();
    await failureOf(cache.get("update", "a", () => Promise.reject(new EngineError("no memory"))));
    expect(numbers((await (await cache.get("update", "a", open)).run({ x: two() })).y!)).to.deep.equal([2, 4]);
    await cache.release();
  });
});

describe("identity of graphs", () => {
  const hashOf = (outputs: Record<string, Expr>) =>
    sessionKey({ outputs: Object.keys(outputs), program: hashExprs(Object.values(outputs)) });
  const build = (scale: number, name = "x") => ({ loss: input(name, ["B", 3]).mul(scale).logSoftmax().sum() });

  it("is the same for expressions that are built alike", () => {
    expect(hashOf(build(2))).to.equal(hashOf(build(2)));
  });

  const others: Record<string, Record<string, Expr>> = {
    "a constant": build(3),
    "an input's name": build(2, "y"),
    "an output's name": { value: build(2).loss },
    "an operator": { loss: build(2).loss.neg() },
    "another term": { loss: build(2).loss.add(build(2).loss) },
  };
  for (const [difference, other] of Object.entries(others)) {
    it(`differs with ${difference}`, () => {
      expect(hashOf(other)).not.to.equal(hashOf(build(2)));
    });
  }

  it("covers the bodies of loops", () => {
    const repeat = (factor: number) => {
      const scale = input("scale", [2]);
      return loop({ maxIterations: 3, carried: { x }, body: ({ carried }) => ({ carried: { x: carried.x.mul(scale).mul(factor) } }) })
        .carried;
    };
    expect(hashOf(repeat(2))).to.equal(hashOf(repeat(2)));
    expect(hashOf(repeat(2))).not.to.equal(hashOf(repeat(3)));
  });

  it("gives equal files for equal expressions", () => {
    const file = () => graphDigest(lower({ outputs: build(2), dims: { B: 4 } }).bytes);
    expect(file()).to.equal(file());
  });

  it("ignores the order of a key's parts and what is undefined", () => {
    const key = sessionKey({ program: "p", dims: { B: 1, T: 2 }, dtype: undefined });
    expect(sessionKey({ dims: { T: 2, B: 1 }, program: "p" })).to.equal(key);
    expect(sessionKey({ dims: { T: 1, B: 2 }, program: "p" })).not.to.equal(key);
  });
});
