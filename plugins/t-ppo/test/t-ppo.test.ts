import { type Inputs, instantiate, type Options, runAdvantage, runTerms } from "@proximal/core";
import { sampleContext, testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import { ExtendedGae } from "../src/advantage.js";
import conformance from "../src/conformance.js";
import { WindowGate } from "../src/gate.js";
import { WindowSampler, type WindowState } from "../src/sampler.js";
import { FinishedValueLoss } from "../src/value-loss.js";
import { WINDOW_COLUMNS } from "../src/window.js";

const { finished, windowStart, valueMask } = WINDOW_COLUMNS;

testVectors(new URL("../../vectors/t-ppo.json", import.meta.url), conformance);

const some = [[1, 0, 1], [0, 0, 1, 1, 1], [0, 0], [1, 1, 1, 1], [1], [0, 1, 0, 1]];
testTerms("WindowGate", { component: WindowGate }, { extra: { policyMask: some } });
testTerms("FinishedValueLoss", { component: FinishedValueLoss }, { extra: { valueMask: some }, specs: { valueMask } });

interface Estimate {
  advantages: number[][];
  returns: number[][];
  policyMask: number[][];
  valueMask: number[][];
}

const estimate = async (inputs: Inputs, options: Options = {}) =>
  (await runAdvantage(ExtendedGae, options, inputs, { specs: { finished, windowStart } })) as unknown as Estimate;

describe("T-PPO's value loss", () => {
  it("does not see what stands outside of its mask", () => {
    const at = (outside: number) =>
      runTerms(
        { component: FinishedValueLoss },
        { values: [[0.5, 1]], returns: [[1, outside]], valueMask: [[1, 0]] },
        { specs: { valueMask } },
      );
    const { loss, gradValues } = at(Number.NaN);
    expect([loss, gradValues]).to.deep.equal([0.125, [[-0.5, 0]]]);
  });
});

describe("T-PPO's advantages", () => {
  const values = [0.2, 0.5, -0.1, 0.4, 0.3, 0.6, 0.1, 0.2];

  it("of a cut response near those of the whole one by λ a token", async () => {
    const [whole, cut] = [values, values.slice(0, 6)];
    const row = (oldValues: number[], done: number) =>
      estimate({ rewards: [1], oldValues: [oldValues], finished: [done], windowStart: [0] }, { lambda: 0.5 });
    const [a, b] = [(await row(whole, 1)).advantages[0]!, (await row(cut, 0)).advantages[0]!];
    const gaps = cut.map((_, t) => Math.abs(a[t]! - b[t]!));
    for (let t = 1; t < gaps.length; t++) expect(gaps[t - 1]).to.be.closeTo(gaps[t]! / 2, 1e-12);
  });

  it("end a cut response with (γ - 1)·V", async () => {
    const { advantages } = await estimate({ rewards: [9], oldValues: [[0.5]], finished: [0], windowStart: [0] }, { gamma: 0.9 });
    expect(advantages[0]![0]).to.be.closeTo(-0.05, 1e-15);
  });

  it("are all 0 for a cut response under an untrained critic", async () => {
    const { advantages, returns } = await estimate({ rewards: [1], oldValues: [[0, 0]], finished: [0], windowStart: [0] });
    expect([advantages, returns]).to.deep.equal([[[0, 0]], [[0, 0]]]);
  });

  it("see neither the values nor the places of masked tokens", async () => {
    const inputs = { rewards: [1], finished: [1], windowStart: [0] };
    const masked = await estimate({ ...inputs, oldValues: [[0.3, Number.NaN, 0.5]], mask: [[1, 0, 1]] }, { gamma: 0.9 });
    const plain = await estimate({ ...inputs, oldValues: [[0.3, 0.5]] }, { gamma: 0.9 });
    expect([masked.advantages[0]![0], masked.advantages[0]![2]]).to.deep.equal(plain.advantages[0]);
    expect(masked.returns[0]).to.deep.equal([plain.returns[0]![0], 0, plain.returns[0]![1]]);
    expect(masked.policyMask).to.deep.equal([[1, 0, 1]]);
  });

  const sets: [promise: string, done: number, start: number, tailDrop: number, policy: number[], value: number[]][] = [
    ["of a response that finished in its first window are PPO's", 1, 0, 2, [1, 1, 1], [1, 1, 1]],
    ["train the policy on the present window alone", 1, 2, 0, [0, 0, 1], [1, 1, 1]],
    ["leave the tail of a cut response out", 0, 1, 1, [0, 1, 0], [0, 0, 0]],
    ["may leave the whole window out", 0, 1, 5, [0, 0, 0], [0, 0, 0]],
    ["hold no policy token where nothing was generated", 1, 3, 0, [0, 0, 0], [1, 1, 1]],
  ];
  for (const [promise, done, start, tailDrop, policy, value] of sets) {
    it(promise, async () => {
      const result = await estimate({ rewards: [1], oldValues: [[0, 0, 0]], finished: [done], windowStart: [start] }, { tailDrop });
      expect(result).to.deep.include({ policyMask: [policy], valueMask: [value] });
    });
  }
});

describe("T-PPO's losses", () => {
  it("of the policy is a mean over the window's tokens, 0 without any", () => {
    const inputs = { logp: [[-1, -1], [-1]], oldLogp: [[-1, -1], [-1]], advantages: [[3, 5], [1]] };
    const loss = (policyMask: number[][]) => runTerms({ component: WindowGate }, { ...inputs, policyMask });
    expect(loss([[0, 1], [1]]).loss).to.equal(-3);
    expect(loss([[0, 0], [0]])).to.deep.include({ loss: 0, gradLogp: [[0, 0], [0]] });
  });
});

describe("T-PPO's windows", () => {
  const specs = { finished, windowStart } as const;
  /** A response of prompt p<n> has n + 1 characters. */
  const respond = ({
    prompt,
    prefix = new Int32Array(),
    maxTokens = 0,
  }: {
    prompt: { id: string };
    prefix?: Int32Array;
    maxTokens?: number;
  }) => "2222".slice(prefix.length, Number(prompt.id.slice(1)) + 1).slice(0, maxTokens);
  const contextOf = (state: WindowState, step: number) => {
    const context = sampleContext({ state, step, prompts: 4, maxTokens: 4, specs, respond });
    const generate: typeof context.generate = async (requests) =>
      (await context.generate(requests)).map((trajectory) => {
        const wanted = Number(trajectory.prompt.id.slice(1)) + 1;
        return { ...trajectory, finish: trajectory.tokens.length < wanted ? ("length" as const) : ("stop" as const) };
      });
    return { ...context, generate };
  };
  const sampler = instantiate(WindowSampler, { groupSize: 1, promptsPerStep: 2, windowLength: 2, shuffle: false });

  it("carry unfinished responses on and fill the room of finished ones", async () => {
    let state = sampler.initialState();
    const steps: [string, number, number, boolean][][] = [];
    const used: number[] = [];
    for (let step = 0; step < 3; step++) {
      const { groups, batch, state: next, metrics } = await sampler.collect(contextOf(state, step));
      const [done, start] = [batch.f64("finished"), batch.i32("windowStart")];
      steps.push(groups.map(({ prompt }, row) => [prompt.id, start[row]!, batch.lengths[row]!, done[row] === 1]));
      expect([...batch.f64("mask")].every((on) => on === 1)).to.equal(true);
      expect([...batch.f64("oldLogp")].every((logp) => logp === -1)).to.equal(true);
      used.push(metrics.slotUtilisation!);
      state = structuredClone(next);
    }
    expect(steps).to.deep.equal([
      [
        ["p0", 0, 1, true],
        ["p1", 0, 2, true],
      ],
      [
        ["p2", 0, 2, false],
        ["p3", 0, 2, false],
      ],
      [
        ["p2", 2, 3, true],
        ["p3", 2, 4, true],
      ],
    ]);
    expect(used).to.deep.equal([0.75, 1, 0.75]);
  });

  it("give an unfinished response no reward, even an unverifiable one", async () => {
    const context = contextOf({ ...sampler.initialState(), drawn: 2 }, 0);
    const score: typeof context.score = async (groups) => {
      const batch = await context.score(groups);
      return batch.with({ rewards: new Float64Array(batch.rows).fill(Number.NaN) });
    };
    const { batch } = await sampler.collect({ ...context, score });
    expect([...batch.f64("rewards")]).to.deep.equal([0, 0]);
  });

  it("count a response at its longest length as finished", async () => {
    const short = instantiate(WindowSampler, { groupSize: 1, promptsPerStep: 1, windowLength: 4, maxLength: 2, shuffle: false });
    const { batch, state } = await short.collect(contextOf({ ...short.initialState(), drawn: 3 }, 0));
    expect([batch.lengths[0], batch.f64("finished")[0], state.waiting.length]).to.deep.equal([2, 1, 0]);
  });
});
