import { expect } from "chai";
import { type EngineSection, updatesPerRun } from "../../src/schemas.js";
import { operatorsOf, relativeError } from "../support.js";
import { openPolicy, updateRequest } from "./policy.js";
import { clipGate, everything, groupGate, programOf, sampleBatch, tinyConfig } from "./support.js";

const config = tinyConfig();
/** Responses and prompts of other lengths in each, the first as large as any: single runs then take the grid of all. */
const batches = [7, 11, 2, 21].map((seed) => sampleBatch(config, [3, 2], seed));

describe("several updates in one run", () => {
  type Options = NonNullable<Parameters<typeof openPolicy>[1]>;
  async function train(together: boolean, component = clipGate, options: Options = {}, data = batches) {
    const { policy, engine } = openPolicy(config, options);
    const program = programOf(component);
    const requests = data.map((batch, i) => updateRequest(program, batch, { learningRate: 1e-2 / (i + 1), temperature: 0.9 }));
    const results = together ? await policy.updateAll(requests) : [];
    if (!together) for (const request of requests) results.push(await policy.update(request));
    const after = await policy.update(requests[0]!);
    const names = Object.keys(await policy.gradients(requests[0]!));
    const parameters = Object.values(await engine.parameters(names)).flatMap((values) => [...values]);
    await policy.close();
    return { results: [...results, after], parameters };
  }

  for (const [what, component, options] of [
    ["clip gate", clipGate, {}],
    ["value head, entropy and states", everything, { valueHead: true }],
    ["group span", groupGate, {}],
    ["LoRA", clipGate, { lora: { rank: 2, alpha: 4, dropout: 0 } }],
    ["recomputed layers", clipGate, { recompute: "layer" }],
  ] as [string, typeof clipGate, Options][]) {
    it(`gives the numbers of single runs to 1e-6: ${what}`, async () => {
      const [single, together] = [await train(false, component, options), await train(true, component, options)];
      single.results.forEach((want, i) => {
        const got = together.results[i]!;
        expect(got.loss / want.loss).to.be.closeTo(1, 1e-6);
        expect(got.gradNorm / want.gradNorm).to.be.closeTo(1, 1e-5);
        expect(relativeError(got.logp!, want.logp!)).to.be.below(1e-6);
        for (const [name, values] of Object.entries(want.observed))
          expect(relativeError(got.observed[name]!, values), name).to.be.below(1e-6);
      });
      expect(relativeError(together.parameters, single.parameters)).to.be.below(1e-5);
    });
  }

  it("counts no update whose loss is not finite, as single runs do", async () => {
    const broken = batches[1]!.with({ advantages: Array.from({ length: batches[1]!.rows }, () => Number.NaN) });
    const data = [batches[0]!, broken, batches[2]!, batches[3]!];
    const [single, together] = [await train(false, clipGate, {}, data), await train(true, clipGate, {}, data)];
    expect(together.results.map(({ skipped }) => skipped)).to.deep.equal([false, true, false, false, false]);
    expect(relativeError(together.parameters, single.parameters)).to.be.below(1e-5);
  });

  it("falls back to single runs where a batch needs several micro-batches", async () => {
    const options = { microBatchTokens: 20 };
    const [single, together] = [await train(false, clipGate, options), await train(true, clipGate, options)];
    expect(together).to.deep.equal(single);
  });

  it("is a loop of its own in the graph, one graph for any number of updates", async () => {
    const { policy, engine } = openPolicy(config);
    const requests = batches.map((batch) => updateRequest(programOf(clipGate), batch));
    const program = requests[0]!.program;
    await policy.updateAll(requests.map((request) => ({ ...request, program })));
    await policy.updateAll(requests.slice(0, 2).map((request) => ({ ...request, program })));
    const graphs = [...(engine as unknown as { graphs: ReadonlyMap<string, { bytes: Uint8Array }> }).graphs.values()];
    expect(graphs).to.have.lengthOf(1);
    expect(operatorsOf(graphs[0]!).outer).to.include("Loop").and.not.to.include("If");
    await policy.close();
  });

  it("is the default on cuda alone, where parameters travel with every run", () => {
    const of = (provider: EngineSection["provider"], given: EngineSection["updatesPerRun"] = "auto") =>
      updatesPerRun({ provider, updatesPerRun: given } as EngineSection);
    expect([of("cpu"), of("webgpu"), of("cuda"), of("cpu", 4), of("cuda", 1)]).to.deep.equal([1, 1, 8, 4, 1]);
  });
});
