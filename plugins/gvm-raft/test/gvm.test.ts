import { type Batch, instantiate, type Options, runAdvantage, type SampleContext, type Services } from "@proximal/core";
import { sampleContext, testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import fc from "fast-check";
import { allocationRatios, integerAllocation } from "../src/allocation.js";
import conformance from "../src/conformance.js";
import { GvmAdvantage, GvmSampler, VanillaGate } from "../src/index.js";
import { chosenParameters } from "../src/probe.js";
import type { GvmState } from "../src/sampler.js";

testVectors(new URL("../../vectors/gvm-raft.json", import.meta.url), conformance);
testTerms("VanillaGate", { component: VanillaGate });

const off = { alpha: 0.001, beta: 2, maxAcceptRate: 0, minExpectedAccepted: 0 };

describe("GVM's allocation", () => {
  const cases: [title: string, norms: number[], rates: number[], budget: number, o: object, counts: number[]][] = [
    ["is uniform for equal prompts, the odd one to the lowest index", [1, 1, 1], [0.5, 0.5, 0.5], 10, {}, [4, 3, 3]],
    ["is uniform when no probe was accepted", [0, 0], [0, 0], 6, {}, [3, 3]],
    ["gives nothing to a prompt without an accepted probe", [2, 0], [0.5, 0], 5, {}, [5, 0]],
    ["is proportional to the norm at equal rates", [3, 1], [0.5, 0.5], 8, {}, [6, 2]],
    ["keeps a prompt exactly at the acceptance limit", [1, 1], [0.5, 0.5], 4, { maxAcceptRate: 0.5 }, [2, 2]],
    ["drops what is above it", [1, 1], [0.51, 0.5], 4, { maxAcceptRate: 0.5 }, [0, 4]],
    ["keeps a prompt that promises exactly enough", [1, 1], [0.5, 0.5], 4, { minExpectedAccepted: 1 }, [2, 2]],
    ["is uniform when the filters drop every prompt", [1, 1], [0.5, 0.5], 4, { minExpectedAccepted: 1.01 }, [2, 2]],
    ["takes back what half-to-even rounding gave too much, lowest index first", [3, 3], [1, 1], 3, {}, [1, 2]],
  ];
  for (const [title, norms, rates, budget, o, counts] of cases) {
    it(title, () => expect(integerAllocation(allocationRatios(norms, rates, budget, { ...off, ...o }), budget)).to.deep.equal(counts));
  }

  it("spends the budget exactly, and never a negative number", () => {
    const prompt = fc.tuple(fc.double({ min: 0, max: 9, noNaN: true }), fc.integer({ min: 0, max: 8 }));
    fc.assert(
      fc.property(fc.array(prompt, { minLength: 1, maxLength: 12 }), fc.integer({ min: 0, max: 90 }), (prompts, budget) => {
        const ratios = allocationRatios(
          prompts.map(([norm]) => norm),
          prompts.map(([, hits]) => hits / 8),
          budget,
          off,
        );
        const counts = integerAllocation(ratios, budget);
        expect(counts.reduce((a, b) => a + b, 0)).to.equal(budget);
        expect(Math.min(...counts)).to.be.at.least(0);
      }),
    );
  });

  it("has a lower variance of the estimated gradient than the uniform one", () => {
    const [norms, rates, budget] = [[4, 1, 0.2], [0.1, 0.5, 0.9], 30] as const;
    const variance = (shares: readonly number[]) =>
      shares.reduce((sum, share, i) => sum + norms[i]! ** 2 / (rates[i]! * share * budget), 0);
    const ours = allocationRatios(norms, rates, budget, { ...off, alpha: 0 });
    expect(variance(ours)).to.be.below(variance([1 / 3, 1 / 3, 1 / 3]));
  });
});

describe("GVM's advantages", () => {
  const rewards = [1, 0.5, 0, -2, 3];
  const group = [0, 0, 0, 0, 1];
  const cases: [title: string, options: Options, expected: number[]][] = [
    ["zero negative rewards in RAFT", { estimator: "raft" }, [1, 0.5, 0, 0, 3]],
    ["share RAFT's weight among the accepted", { estimator: "raft", normalizeByAccepted: true }, [0.5, 0.25, 0, 0, 3]],
  ];
  for (const [title, options, expected] of cases) {
    it(title, async () => expect((await runAdvantage(GvmAdvantage, options, { rewards, group })).advantages).to.deep.equal(expected));
  }

  it("leave a response without siblings its reward in GRPO", async () => {
    const { advantages } = await runAdvantage(GvmAdvantage, { estimator: "grpo" }, { rewards, group });
    expect((advantages as number[])[4]).to.equal(3 / (1 + 1e-6));
  });
});

describe("the parameters that count", () => {
  const names = ["model.embed_tokens.weight", "model.layers.0.mlp.weight", "lm_head.weight"];
  it("are the token embedding, all without one, or those that are named", () => {
    expect(chosenParameters(names, [])).to.deep.equal([names[0]]);
    expect(chosenParameters(names.slice(1), [])).to.deep.equal(names.slice(1));
    expect(chosenParameters(names, ["mlp", "head"])).to.deep.equal(names.slice(1));
    expect(() => chosenParameters(names, ["nothing"])).to.throw("gradParams");
  });
});

describe("GVM's sampler", () => {
  const options = { promptsPerStep: 2, rolloutsPerPrompt: 4, probeRollouts: 4, roundSteps: 2, shuffle: false };
  const sampler = instantiate(GvmSampler, options);
  /** Prompt p1 never succeeds, p3 has three times the gradient of p0 and p2. */
  const contextOf = (state: GvmState, step: number) => {
    const asked: (readonly string[] | undefined)[] = [];
    const context = sampleContext<GvmState>({ state, step, respond: ({ prompt }) => (prompt.id === "p1" ? "1" : "2") });
    const services = {
      likelihoodGradient: async (batch: Batch, parameters?: readonly string[]) => {
        asked.push(parameters);
        const size = batch.trajectories[0]!.prompt.id === "p3" ? 3 : 1;
        const all = { "embed_tokens.weight": Float32Array.of(0, size), "head.weight": Float32Array.of(100) };
        return parameters === undefined ? all : Object.fromEntries(parameters.map((name) => [name, all[name as keyof typeof all]]));
      },
    } as unknown as Services;
    return { context: { ...context, services } as SampleContext<GvmState>, requests: context.requests, asked };
  };

  it("probes a round once, spends its budget over the steps and skips prompts without responses", async () => {
    const first = contextOf(sampler.initialState(), 0);
    const one = await sampler.collect(first.context);
    expect(one.state.round.counts).to.deep.equal([3, 0, 3, 10]);
    expect(first.requests.filter(({ key }) => key?.startsWith("probe/"))).to.have.length(16);
    expect(first.asked.slice(0, 2)).to.deep.equal([undefined, ["embed_tokens.weight"]]);
    expect(one.groups.map(({ prompt, trajectories }) => [prompt.id, trajectories.length])).to.deep.equal([["p0", 3]]);
    expect(one.metrics).to.include({ largestAllocation: 10, skippedPrompts: 0.25, probeAcceptRate: 0.75 });

    const second = contextOf(one.state, 1);
    const two = await sampler.collect(second.context);
    expect(two.groups.map(({ prompt, trajectories }) => [prompt.id, trajectories.length])).to.deep.equal([
      ["p2", 3],
      ["p3", 10],
    ]);
    expect(second.requests.filter(({ key }) => key?.startsWith("probe/"))).to.have.length(0);

    const third = contextOf(two.state, 2);
    await sampler.collect(third.context);
    expect(third.requests.filter(({ key }) => key?.startsWith("probe/"))).to.have.length(16);
  });
});
