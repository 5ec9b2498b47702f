import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Batch, CheckpointError, EngineError, type UpdateResult } from "@proximal/core";
import { expect } from "chai";
import { parameterTable } from "../../src/model/index.js";
import { relativeError } from "../support.js";
import { openPolicy, optimizer, updateRequest } from "./policy.js";
import { batchGate, clipGate, everything, groupGate, programOf, sampleBatch, tinyConfig } from "./support.js";

const config = tinyConfig({ num_attention_heads: 2, num_key_value_heads: 1 });
const table = parameterTable(config);
const batch = sampleBatch(config, [3, 1, 4]);

describe("updates", () => {
  let root: string;
  let folders = 0;
  before(() => {
    root = mkdtempSync(join(tmpdir(), "updates-"));
  });
  after(() => rmSync(root, { recursive: true }));
  const newFolder = (): string => {
    const folder = join(root, String(folders++));
    mkdirSync(folder);
    return folder;
  };

  type Options = Parameters<typeof openPolicy>[1];
  type Opened = ReturnType<typeof openPolicy>;
  const bytesOf = async ({ policy }: Opened): Promise<string[]> => {
    const folder = newFolder();
    await policy.save(folder);
    return ["model.safetensors", "optimizer.safetensors"].map((name) => readFileSync(join(folder, name), "base64"));
  };
  const valuesOf = async ({ engine }: Opened): Promise<Float32Array> => {
    const all = await engine.parameters(table.map(({ name }) => name));
    return Float32Array.from(Object.values(all).flatMap((values) => [...values]));
  };
  /** A few updates of a fresh policy. */
  async function train(options: Options, program = programOf(clipGate), data: Batch = batch, steps = 2) {
    const opened = openPolicy(config, options);
    const results: UpdateResult[] = [];
    for (let i = 0; i < steps; i++) results.push(await opened.policy.update(updateRequest(program, data)));
    const values = await valuesOf(opened);
    await opened.policy.close();
    return { values, results };
  }
  const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Array.from(a, (x, i) => Math.abs(x - b[i]!)).reduce((x, y) => Math.max(x, y), 0);

  describe("do not depend on how they are executed", () => {
    for (const [name, component] of [
      ["clip gate", clipGate],
      ["group span", groupGate],
      ["batch span", batchGate],
    ] as const) {
      it(`${name}: shared prompts, micro-batches, workers, fused or linearised agree to 2e-5`, async () => {
        // A large ε makes the step a smooth function of the gradient.
        const smooth = { optimizer: { epsilon: 1 } };
        const expected = await train(smooth, programOf(component));
        for (const options of [
          { sharePrompts: false },
          { microBatchTokens: 40 },
          { microBatchTokens: 1 },
          { execution: "linearised" as const },
          { execution: "linearised" as const, microBatchTokens: 40 },
          { recompute: "layer" as const },
          { workers: 2 },
          { workers: 3, microBatchTokens: 40 },
          { workers: 2, execution: "linearised" as const },
        ]) {
          const found = await train({ ...smooth, ...options }, programOf(component));
          const what = JSON.stringify(options);
          expect(relativeError(found.values, expected.values), what).to.be.below(2e-5);
          found.results.forEach((result, i) => {
            const want = expected.results[i]!;
            expect(result.loss, what).to.be.closeTo(want.loss, 2e-5);
            expect(result.gradNorm / want.gradNorm, what).to.be.closeTo(1, 2e-5);
            expect(largestDifference(result.logp!, want.logp!), what).to.be.below(2e-5);
            for (const [key, values] of Object.entries(want.observed)) {
              expect(largestDifference(result.observed[key]!, values), key).to.be.below(2e-5);
            }
          });
        }
      });
    }

    it("the order of the rows changes nothing beyond rounding", async () => {
      const order = [5, 0, 7, 3, 1, 6, 2, 4];
      const smooth = { optimizer: { epsilon: 1 } };
      const [plain, shuffled] = [await train(smooth), await train(smooth, programOf(clipGate), batch.select(order))];
      expect(relativeError(shuffled.values, plain.values)).to.be.below(2e-5);
    });

    it("a longer row in the batch, with weight zero, changes the others' log-probs by rounding alone", async () => {
      const { policy } = openPolicy(config);
      const rows = batch.trajectories.map(({ prompt, tokens }) => ({ prompt: prompt.tokens, response: tokens }));
      const long = {
        prompt: Int32Array.from({ length: 17 }, (_, i) => i % 13),
        response: Int32Array.from({ length: 21 }, (_, i) => i % 13),
      };
      const [alone, together] = [rows, [...rows, long]].map((list) => policy.score(list, { outputs: ["logp"], temperature: 1 }));
      const [a, b] = [(await alone!).logp!, (await together!).logp!];
      expect(largestDifference(a, b.subarray(0, a.length))).to.be.below(2e-5);
      await policy.close();
    });

    it("a loss of the whole batch in several micro-batches is refused when it has to be fused", async () => {
      const error = await train({ execution: "fused", microBatchTokens: 40 }, programOf(batchGate)).catch((e: unknown) => e);
      expect(error).to.be.instanceOf(EngineError).with.nested.property("details.accepted", "auto, linearised");
    });
  });

  it("follow AdamW with decoupled weight decay on matrices and a clipped global norm", async () => {
    const opened = openPolicy(config);
    const request = updateRequest(programOf(clipGate), batch);
    const names = table.map(({ name }) => name);
    const { beta1, beta2, epsilon, weightDecay, maxGradNorm } = optimizer;
    const p = Object.fromEntries(Object.entries(await opened.engine.parameters(names)).map(([name, x]) => [name, Float64Array.from(x)]));
    const m = Object.fromEntries(names.map((name) => [name, new Float64Array(p[name]!.length)]));
    const v = structuredClone(m);
    for (let step = 1; step <= 3; step++) {
      const g = await opened.policy.gradients(request);
      const norm = Math.hypot(...Object.values(g).flatMap((x) => [...x]));
      const scale = Math.min(1, maxGradNorm! / (norm + 1e-6));
      const { gradNorm } = await opened.policy.update(request);
      expect(gradNorm).to.be.closeTo(norm, 1e-5);
      for (const { name, decay } of table) {
        for (let i = 0; i < p[name]!.length; i++) {
          const gi = g[name]![i]! * scale;
          m[name]![i] = beta1 * m[name]![i]! + (1 - beta1) * gi;
          v[name]![i] = beta2 * v[name]![i]! + (1 - beta2) * gi * gi;
          const direction = m[name]![i]! / (1 - beta1 ** step) / (Math.sqrt(v[name]![i]! / (1 - beta2 ** step)) + epsilon);
          p[name]![i]! -= request.learningRate * (direction + (decay ? weightDecay * p[name]![i]! : 0));
        }
        expect(relativeError((await opened.engine.parameters([name]))[name]!, p[name]!), `${name} at step ${step}`).to.be.below(1e-4);
        p[name] = Float64Array.from((await opened.engine.parameters([name]))[name]!);
      }
    }
    await opened.policy.close();
  });

  for (const workers of [1, 3]) {
    it(`are bit for bit the same with the same seed, and not with another: ${workers} worker(s)`, async () => {
      const [a, b, c] = [await train({ workers }), await train({ workers }), await train({ workers, seed: 2 })];
      expect(Buffer.from(a.values.buffer).equals(Buffer.from(b.values.buffer))).to.equal(true);
      expect(a.results).to.deep.equal(b.results);
      expect(Buffer.from(a.values.buffer).equals(Buffer.from(c.values.buffer))).to.equal(false);
    });
  }

  it("are not touched by what stands at masked positions", async () => {
    const poisoned = (name: string) =>
      Float64Array.from(batch.f64(name), (x, i) => (batch.f64("mask")[i] === 0 ? [Number.NaN, Number.POSITIVE_INFINITY][i % 2]! : x));
    const dirty = batch.with({ oldLogp: poisoned("oldLogp"), advantages: poisoned("advantages") });
    for (const options of [{}, { execution: "linearised" as const }]) {
      const [clean, found] = [await train(options), await train(options, programOf(clipGate), dirty)];
      expect(Buffer.from(found.values.buffer).equals(Buffer.from(clean.values.buffer))).to.equal(true);
      expect(found.results.some(({ skipped }) => skipped)).to.equal(false);
    }
  });

  for (const options of [{}, { microBatchTokens: 40 }, { execution: "linearised" as const }, { workers: 2 }]) {
    it(`with a loss that is not finite change nothing and say so: ${JSON.stringify(options)}`, async () => {
      const opened = openPolicy(config, options);
      const program = programOf(clipGate);
      await opened.policy.update(updateRequest(program, batch));
      const before = await bytesOf(opened);
      const broken = batch.with({ advantages: Array.from({ length: batch.rows }, () => Number.POSITIVE_INFINITY) });
      const result = await opened.policy.update(updateRequest(program, broken));
      expect(result.skipped).to.equal(true);
      expect(await bytesOf(opened)).to.deep.equal(before);
      const [next, never] = [await opened.policy.update(updateRequest(program, batch)), await train(options)];
      expect(next).to.deep.equal(never.results[1]);
      await opened.policy.close();
    });
  }

  it("take rows without response tokens, and batches of nothing else", async () => {
    const empty = batch.trajectories.map((t, i) =>
      i % 2 === 0 ? t : { ...t, tokens: new Int32Array(0), mask: new Uint8Array(0), logp: new Float64Array(0) },
    );
    const groupsOf = (list: typeof empty) => [{ prompt: list[0]!.prompt, trajectories: list }];
    for (const [what, list] of [
      ["some", empty],
      ["all", empty.filter((_, i) => i % 2 === 1)],
    ] as const) {
      const { Batch: BatchOf } = await import("@proximal/core");
      const data = BatchOf.fromGroups(groupsOf([...list])).with({ advantages: list.map((_, i) => i - 1) });
      const { results, values } = await train({}, programOf(clipGate), data, 1);
      expect([results[0]!.skipped, results[0]!.logp!.length], what).to.deep.equal([false, data.tokens]);
      expect(values.every(Number.isFinite), what).to.equal(true);
    }
  });

  describe("continue from a checkpoint", () => {
    for (const workers of [1, 2]) {
      it(`bit for bit, with moments, step count, value head and snapshots: ${workers} worker(s)`, async () => {
        const options = { valueHead: true, seed: 3, workers };
        const program = programOf(everything);
        const opened = openPolicy(config, options);
        await opened.policy.snapshot("reference");
        await opened.policy.update(updateRequest(program, batch));
        // A smaller batch afterwards keeps the grid of this one, as it does after a restore.
        const smaller = batch.select([0, 1, 2, 4, 5, 6]);
        const folder = newFolder();
        await opened.policy.save(folder);
        const rows = batch.trajectories.map(({ prompt, tokens }) => ({ prompt: prompt.tokens, response: tokens }));
        const scoring = { outputs: ["logp"] as const, temperature: 1, snapshot: "reference" };
        const other = openPolicy(config, { ...options, seed: 4 });
        await other.policy.restore(folder);
        for (const { policy } of [opened, other]) await policy.update(updateRequest(program, smaller));
        expect(await bytesOf(other)).to.deep.equal(await bytesOf(opened));
        expect(await other.policy.score(rows, scoring)).to.deep.equal(await opened.policy.score(rows, scoring));
        await opened.policy.close();
        await other.policy.close();
      });
    }

    it("unless it is damaged: the error names the file, and the policy stays as it was", async () => {
      const opened = openPolicy(config);
      const folder = newFolder();
      await opened.policy.save(folder);
      const before = await bytesOf(opened);
      await opened.policy.update(updateRequest(programOf(clipGate), batch));
      const after = await bytesOf(opened);
      truncateSync(join(folder, "optimizer.safetensors"), 2000);
      const error = await opened.policy.restore(folder).catch((e: unknown) => e);
      expect(error).to.be.instanceOf(CheckpointError).with.nested.property("details.file", join(folder, "optimizer.safetensors"));
      expect(after).not.to.deep.equal(before);
      expect(await bytesOf(opened)).to.deep.equal(after);
      await opened.policy.close();
    });
  });
});
