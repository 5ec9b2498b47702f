import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CheckpointError } from "@proximal/core";
import { expect } from "chai";
import { readParameters } from "../../src/checkpoint/files.js";
import { writeSafetensors } from "../../src/checkpoint/safetensors.js";

const table = [
  { name: "a", shape: [2] },
  { name: "b", shape: [1] },
];

describe("the parameters of a checkpoint", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "files-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const shard = (file: string, name: string, data: Float32Array) =>
    writeSafetensors(join(folder, file), [{ name, shape: [data.length], data }]);
  const index = (map: Record<string, string>) =>
    writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ metadata: {}, weight_map: map }));

  it("are read from all shards that the index names", () => {
    shard("model-00001-of-00002.safetensors", "a", Float32Array.of(1, 2));
    shard("model-00002-of-00002.safetensors", "b", Float32Array.of(3));
    index({ a: "model-00001-of-00002.safetensors", b: "model-00002-of-00002.safetensors" });
    const values = readParameters(folder, table);
    expect(Object.fromEntries(values)).to.deep.equal({ a: Float32Array.of(1, 2), b: Float32Array.of(3) });
  });

  it("a missing tensor is an error that names it and its file, unless it is optional", () => {
    shard("model.safetensors", "a", Float32Array.of(1, 2));
    expect(() => readParameters(folder, table))
      .to.throw(CheckpointError, "tensor b: missing")
      .with.nested.property("details.file", join(folder, "model.safetensors"));
    expect([...readParameters(folder, table, (name) => name === "b").keys()]).to.deep.equal(["a"]);
  });

  it("a shard that is not there is an error that names it", () => {
    index({ a: "model-00001-of-00001.safetensors" });
    expect(() => readParameters(folder, table))
      .to.throw(CheckpointError)
      .with.nested.property("details.file", join(folder, "model-00001-of-00001.safetensors"));
  });
});
