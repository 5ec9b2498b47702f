import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LossProgram } from "@proximal/core";
import { expect } from "chai";
import { GPU, relativeError } from "../support.js";
import { openPolicy, type TestPolicy, updateRequest } from "../update/policy.js";
import { clipGate, everything, programOf, rowsOfBatch, sampleBatch, tinyConfig } from "../update/support.js";

const config = tinyConfig({ model_type: "llama", attention_bias: false });
const batch = sampleBatch(config, [3, 1]);
const rows = rowsOfBatch(batch);

describe(`a policy on WebGPU${GPU ? "" : " (not run: PROXIMAL_TEST_WEBGPU=1 runs it, see CONTRIBUTING.md)"}`, () => {
  before(function () {
    if (!GPU) this.skip();
  });

  type Options = NonNullable<Parameters<typeof openPolicy>[1]>;
  const open = (provider: "cpu" | "webgpu", options: Options = {}): TestPolicy =>
    openPolicy(config, { provider, ...options, optimizer: { epsilon: 1e-3, ...options.optimizer } });
  const parametersOf = async ({ engine, policy }: TestPolicy) => {
    const names = Object.keys(await policy.gradients(updateRequest(programOf(clipGate), batch)));
    return Float32Array.from(Object.values(await engine.parameters(names)).flatMap((values) => [...values]));
  };
  const logpOf = async ({ policy }: TestPolicy, snapshot?: string) =>
    [...(await policy.score(rows, { outputs: ["logp"], temperature: 1, snapshot })).logp!] as number[];

  for (const [what, program, options] of [
    ["in one graph", programOf(clipGate), {}],
    ["in micro-batches", programOf(clipGate), { microBatchTokens: 30 }],
    ["with every differentiable output, linearised", programOf(everything), { execution: "linearised", valueHead: true }],
    ["of LoRA", programOf(clipGate), { lora: { rank: 2, alpha: 4, dropout: 0 } }],
  ] as [string, LossProgram, Options][]) {
    it(`gives the CPU's updates to 1e-4, ${what}`, async () => {
      const [expected, found] = [open("cpu", options), open("webgpu", options)];
      for (let step = 0; step < 4; step++) {
        const [a, b] = [expected, found].map(({ policy }) => policy.update(updateRequest(program, batch)));
        const [want, got] = [await a!, await b!];
        expect(got.loss).to.be.closeTo(want.loss, 1e-4);
        expect(got.gradNorm / want.gradNorm).to.be.closeTo(1, 1e-4);
      }
      expect(relativeError(await parametersOf(found), await parametersOf(expected))).to.be.below(1e-4);
      await Promise.all([expected, found].map(({ policy }) => policy.close()));
    });
  }

  it("samples and scores with the parameters that the last update left on the device", async () => {
    const opened = open("webgpu");
    const before = await logpOf(opened);
    await opened.policy.snapshot("reference");
    await opened.policy.update(updateRequest(programOf(clipGate), batch));
    const requests = [3, 3, 5].map((start, key) => ({
      prompt: Int32Array.of(start, 7),
      key,
      maxTokens: 5,
      temperature: 1,
      stopTokens: [],
    }));
    const decoded = await opened.policy.decode(requests);
    const scored = await opened.policy.score(
      decoded.map(({ tokens }, i) => ({ prompt: requests[i]!.prompt, response: tokens })),
      { outputs: ["logp"], temperature: 1 },
    );
    decoded
      .flatMap(({ logp }) => [...logp])
      .forEach((value, i) => {
        expect(value).to.be.closeTo(scored.logp![i]!, 1e-4);
      });
    expect(relativeError(await logpOf(opened), before)).to.be.above(1e-3);
    expect(relativeError(await logpOf(opened, "reference"), before)).to.be.below(1e-6);
    await opened.policy.close();
  });

  it("a loss that is not finite leaves parameters and moments as they were", async () => {
    const opened = open("webgpu");
    const request = updateRequest(programOf(clipGate), batch);
    await opened.policy.update(request);
    const before = await parametersOf(opened);
    const broken = batch.with({ advantages: Array.from({ length: batch.rows }, () => Number.NaN) });
    expect((await opened.policy.update({ ...request, batch: broken })).skipped).to.equal(true);
    expect(await parametersOf(opened)).to.deep.equal(before);
    await opened.policy.close();
  });

  it("continues from a checkpoint as if there had been no break", async () => {
    const folder = mkdtempSync(join(tmpdir(), "webgpu-"));
    const request = updateRequest(programOf(clipGate), batch);
    const first = open("webgpu");
    await first.policy.update(request);
    await first.policy.save(folder);
    const expected = [await first.policy.update(request), await first.policy.update(request)];
    const second = open("webgpu");
    await second.policy.update(request);
    await second.policy.restore(folder);
    for (const want of expected) expect((await second.policy.update(request)).loss).to.be.closeTo(want.loss, 1e-6);
    await Promise.all([first, second].map(({ policy }) => policy.close()));
    rmSync(folder, { recursive: true });
  });
});
