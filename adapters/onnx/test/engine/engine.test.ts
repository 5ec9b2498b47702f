import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineError, input } from "@proximal/core";
import { expect } from "chai";
import { Engine } from "../../src/engine/engine.js";
import { NEXT, type RunRequest } from "../../src/engine/protocol.js";
import { lower } from "../../src/index.js";
import { tinyConfig } from "../update/support.js";

const NORM = "model.norm.weight";

describe("the engine", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "engine-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const engine = () => new Engine({ config: tinyConfig(), valueHead: false, seed: 1, session: { threads: 1 } });
  const norm = input(NORM, [16]);
  const index = input("index", [], "int");
  /** Doubles a parameter and reads one of its entries. */
  const request = (at: bigint): RunRequest => ({
    role: "update",
    alone: true,
    graph: { key: "double", graph: lower({ outputs: { [`${NEXT}${NORM}`]: norm.mul(2), entry: norm.gather(index) }, abortOutput: true }) },
    feeds: { index: { type: "int64", shape: [], data: BigInt64Array.of(at) } },
    results: { entry: { type: "float32", shape: [] } },
  });
  const failure = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => undefined).catch((error: unknown) => error);

  it("feeds what the host does not from the training state, and writes into it what a graph calls next", async () => {
    const it = engine();
    const { entry } = await it.run(request(3n));
    expect(entry).to.deep.equal({ type: "float32", shape: [], data: Float32Array.of(1) });
    expect([...(await it.parameters([NORM]))[NORM]!]).to.deep.equal(Array(16).fill(2));
    await it.close();
  });

  it("knows a graph again by its key, and says when it was never sent", async () => {
    const it = engine();
    await it.run(request(0n));
    const { graph, ...rest } = request(0n);
    await it.run({ ...rest, graph: { key: graph.key } });
    expect([...(await it.parameters([NORM]))[NORM]!]).to.deep.equal(Array(16).fill(4));
    expect(await failure(it.run({ ...rest, graph: { key: "other" } }))).to.be.instanceOf(EngineError);
    await it.close();
  });

  it("after a run that failed while it could write refuses everything but a restore", async () => {
    const it = engine();
    await it.save(folder, { step: 7, grids: {} });
    expect(await failure(it.run(request(100n)))).to.be.instanceOf(EngineError);
    for (const act of [() => it.run(request(0n)), () => it.save(folder, { step: 8, grids: {} }), () => it.snapshot("x")]) {
      expect(await failure(act()))
        .to.be.instanceOf(EngineError)
        .with.nested.property("details.hint", "restore a checkpoint");
    }
    expect(it.restore(folder)).to.deep.equal({ step: 7, grids: {} });
    await it.run(request(0n));
    expect([...(await it.parameters([NORM]))[NORM]!]).to.deep.equal(Array(16).fill(2));
    await it.close();
  });

  it("lends parameters in arrays that came with gradients, and keeps none of them once gradients are dropped", async () => {
    const it = engine();
    const names = Object.keys(it.lendParameters());
    const gradients = () => Object.fromEntries(names.map((name) => [name, it.lendParameters()[name]!]));
    const given = gradients();
    it.clearGradients();
    it.addGradients(given);
    expect(it.lendParameters()[NORM]).to.equal(given[NORM]);
    it.addGradients(given);
    it.dropGradients();
    expect(it.lendParameters()[NORM]).to.not.equal(given[NORM]);
    await it.close();
  });
});
