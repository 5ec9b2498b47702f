import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataError, EngineError, evaluate, type PolicyOutput, type ScoreRow, tensor } from "@proximal/core";
import { expect } from "chai";
import { writeParameters } from "../../src/checkpoint/files.js";
import { parameterInputs, parameterTable } from "../../src/model/index.js";
import { layoutRows, spread } from "../../src/update/layout.js";
import { buildNetwork, INVERSE_TEMPERATURE } from "../../src/update/network.js";
import { relativeError } from "../support.js";
import { openPolicy, updateRequest } from "./policy.js";
import { clipGate, programOf, randomParameters, rowsOfBatch, sampleBatch, tinyConfig } from "./support.js";

const config = tinyConfig();
const table = parameterTable(config, { valueHead: true });
const parameters = randomParameters(table, 6);
const rows = rowsOfBatch(sampleBatch(config, [3, 1, 2]));
const OUTPUTS = ["logp", "entropy", "values", "hidden", "topK"] as const satisfies PolicyOutput[];
const K = 4;

describe("scoring", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "score-"));
    writeParameters(folder, config, table, (name) => Float32Array.from(parameters[name]!.data));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** All outputs in float64, in the order of the rows. */
  function expected(temperature: number) {
    const [layout] = layoutRows([rows], { sharePrompts: true });
    const { tokens } = buildNetwork({ config, parameters: parameterInputs(table), grid: layout!.grid, outputs: new Set(OUTPUTS), topK: K });
    const exprs = [tokens.logp, tokens.entropy!, tokens.values!, tokens.hidden!, tokens.topK!.probs, tokens.topK!.tokens];
    const results = evaluate(exprs, { ...parameters, ...layout!.feeds, [INVERSE_TEMPERATURE]: tensor(1 / temperature) });
    const offsets = Int32Array.from([0, ...rows.map(({ response }) => response.length)]);
    for (let i = 1; i < offsets.length; i++) offsets[i]! += offsets[i - 1]!;
    return results.map(({ data }) => {
      const flat = new Float64Array(data.length);
      spread(
        data,
        layout!,
        offsets,
        rows.map((_, i) => i),
        flat,
      );
      return flat;
    });
  }

  it("gives every output in the order of the rows, whatever the micro-batches", async () => {
    const [logp, entropy, values, hidden, probs, tokens] = expected(0.7);
    for (const microBatchTokens of ["auto", 3] as const) {
      const { policy } = openPolicy(config, { checkpoint: folder, valueHead: true, microBatchTokens });
      const found = await policy.score(rows, { outputs: OUTPUTS, temperature: 0.7, topK: K });
      await policy.close();
      expect(relativeError(found.logp!, logp!)).to.be.below(1e-5);
      expect(relativeError(found.entropy!, entropy!)).to.be.below(1e-5);
      expect(relativeError(found.values!, values!)).to.be.below(1e-5);
      expect(relativeError(found.hidden!, hidden!)).to.be.below(1e-5);
      expect(relativeError(found.candidateProbs!, probs!)).to.be.below(1e-5);
      expect([...found.candidateTokens!]).to.deep.equal([...tokens!]);
    }
  });

  it("takes a snapshot's parameters when asked, which updates do not change", async () => {
    const { policy } = openPolicy(config, { checkpoint: folder, valueHead: true });
    const options = { outputs: ["logp"] as const, temperature: 1 };
    const before = await policy.score(rows, options);
    await policy.snapshot("reference");
    await policy.update(updateRequest(programOf(clipGate), sampleBatch(config, [3, 1, 2])));
    const [now, frozen] = [await policy.score(rows, options), await policy.score(rows, { ...options, snapshot: "reference" })];
    expect(frozen).to.deep.equal(before);
    expect(relativeError(now.logp!, before.logp!)).to.be.above(1e-3);
    const error = await policy.score(rows, { ...options, snapshot: "refrence" }).catch((e: unknown) => e);
    expect(error).to.be.instanceOf(EngineError).with.nested.property("details.accepted").that.deep.equals(["reference"]);
    await policy.close();
  });

  it("of no rows, and of rows without responses, is empty", async () => {
    const { policy } = openPolicy(config);
    const none: ScoreRow = { prompt: Int32Array.of(1), response: new Int32Array(0) };
    for (const list of [[], [none]]) {
      expect(await policy.score(list, { outputs: ["logp"], temperature: 1 })).to.deep.equal({ logp: new Float64Array(0) });
    }
    await policy.close();
  });

  for (const [what, row] of [
    ["an empty prompt", { prompt: new Int32Array(0), response: Int32Array.of(1) }],
    ["a token beyond the vocabulary", { prompt: Int32Array.of(13), response: Int32Array.of(1) }],
    ["more tokens than the context", { prompt: new Int32Array(60), response: new Int32Array(5) }],
  ] as const) {
    it(`${what} is a data error that names the row`, async () => {
      const { policy } = openPolicy(config);
      const error = await policy.score([rows[0]!, row], { outputs: ["logp"], temperature: 1 }).catch((e: unknown) => e);
      expect(error)
        .to.be.instanceOf(DataError)
        .with.property("message")
        .that.matches(/^row 1 /);
    });
  }
});
