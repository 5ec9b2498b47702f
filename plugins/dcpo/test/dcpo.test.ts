import { compare, runAdvantage, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { DcpoAdvantage, DcpoGate, type DcpoState, merged, type PromptHistory, smoothAdvantages } from "../src/index.js";

testVectors(new URL("../../vectors/dcpo.json", import.meta.url), conformance);

testTerms("DcpoGate", { component: DcpoGate, options: { aggregation: "otm" } });
testTerms("DcpoGate, token mean, low ceiling", { component: DcpoGate, options: { aggregation: "token-mean", ratioHigh: 1.1 } });

describe("DCPO's bounds", () => {
  const boundsAt = async (oldLogp: number, options = {}) =>
    ((await conformance.gate!(options, { logp: [[oldLogp]], oldLogp: [[oldLogp]], advantages: [1] })) as { ratioBounds: number[][][] })
      .ratioBounds[0]![0]!;
  const cases: [promise: string, probability: number, low: number, high: number][] = [
    ["are narrow for likely tokens", 0.9, 0.5 + 0.5 * Math.sqrt(1 - 0.64 / 0.9), 0.5 + 0.5 * Math.sqrt(1 + 0.8 / 0.9)],
    ["are wide for unlikely ones", 0.01, 0.5, 5],
    ["end at 0.5 and ratioHigh for impossible ones", 0, 0.5, 10],
    ["are defined for certain ones", 1, 0.8, 0.5 + 0.5 * Math.sqrt(1.8)],
  ];
  for (const [promise, probability, low, high] of cases) {
    it(promise, async () => {
      const [below, above] = await boundsAt(Math.log(Math.max(probability, Number.MIN_VALUE)));
      expect(below).to.be.closeTo(low, 1e-12);
      expect(above).to.be.closeTo(high, 1e-12);
    });
  }

  it("hold |(r - 1)·r·q| = ε at both ends", async () => {
    for (const q of [0.7, 0.85, 0.99]) {
      const [low, high] = await boundsAt(Math.log(q));
      expect((1 - low!) * low! * q).to.be.closeTo(0.16, 1e-12);
      expect((high! - 1) * high! * q).to.be.closeTo(0.2, 1e-12);
    }
  });

  const gradients: [promise: string, ratio: number, advantage: number, gradient: number][] = [
    ["let an unlikely token rise fourfold", 4, 1, -4],
    ["cut it off at 10", 11, 1, 0],
    ["push it down up to the dual clip", 9, -1, 9],
    ["let go of it beyond the dual clip", 11, -1, 0],
    ["cut it off below one half when A < 0", 0.4, -1, 0],
    ["let it rise from below one half", 0.4, 1, -0.4],
  ];
  for (const [promise, ratio, advantage, gradient] of gradients) {
    it(promise, () => {
      const inputs = { logp: [[Math.log(ratio) - 7]], oldLogp: [[-7]], advantages: [advantage] };
      const { gradLogp } = runTerms({ component: DcpoGate }, inputs, { aggregation: "otm" });
      expect(compare([[gradient]], gradLogp, 1e-12)).to.equal(null);
    });
  }
});

describe("DCPO's history", () => {
  it("takes the first visit as it is", () => {
    expect(merged({ times: 0, mean: 9, std: 9 }, { m: 0.5, s: 0.2 }, 0.3)).to.deep.equal({ times: 1, mean: 0.5, std: 0.2 });
  });

  it("merges as the official code does, which is not the pooled variance", () => {
    const after = merged({ times: 2, mean: 0.2, std: 0.3 }, { m: 0.8, s: 0.6 }, 1);
    const variance = (2 * 0.09 + 0.36 + (2 / 3) * 0.36) / 3;
    expect(compare({ times: 3, mean: 0.4, std: Math.sqrt(variance) }, after, 1e-12)).to.equal(null);
  });

  it("fades with historyDecay", () => {
    const faded = merged({ times: 2, mean: 0.5, std: 0.5 }, { m: 0.25, s: 0 }, 0.5);
    expect(compare({ times: 3, mean: 0.25, std: Math.sqrt(0.125 / 3) }, faded, 1e-12)).to.equal(null);
  });

  it("keeps a std of exactly 0 over any number of visits with the same reward", () => {
    let history: PromptHistory = { times: 0, mean: 0, std: 0 };
    for (let visit = 0; visit < 20; visit++) {
      const { advantages, after } = smoothAdvantages(Float64Array.of(0.1, 0.1, 0.1), history, 1);
      expect([...advantages]).to.deep.equal([0, 0, 0]);
      history = after;
    }
    expect(history).to.deep.equal({ times: 20, mean: 0.1, std: 0 });
  });
});

describe("DCPO's advantages", () => {
  const estimate = (rewards: number[], group: number[], prompts: DcpoState["prompts"] = {}) =>
    runAdvantage(DcpoAdvantage, {}, { rewards, group, promptId: group.map(String) }, { state: { version: 1, prompts } as DcpoState });

  it("of a first visit are GRPO's without a guard", async () => {
    const { advantages, state } = await estimate([1, 0, 0, 1], [4, 4, 4, 4]);
    const unit = 0.5 / Math.sqrt(1 / 3);
    expect(compare([unit, -unit, -unit, unit], advantages, 1e-12)).to.equal(null);
    expect(compare({ prompts: { 4: { times: 1, mean: 0.5, std: Math.sqrt(1 / 3) } } }, state, 1e-12)).to.equal(null);
  });

  it("of equal rewards still carry a signal from the history", async () => {
    const { advantages } = await estimate([1, 1], [0, 0], { 0: { times: 1, mean: 0, std: 0.5 } });
    const std = Math.sqrt((0.25 + 0.5) / 2);
    expect(compare([0.25 / std, 0.25 / std], advantages, 1e-12)).to.equal(null);
  });

  it("take the blend of smaller magnitude", () => {
    const rewards = Float64Array.of(1, 0);
    const { advantages, after } = smoothAdvantages(rewards, { times: 2, mean: 0.9, std: 0.1 }, 1);
    const [now, total] = [(1 - 0.5) / Math.SQRT1_2, (1 - after.mean) / after.std];
    const blends = [(2 / 3) * now + (1 / 3) * total, (1 / 3) * now + (2 / 3) * total];
    expect(advantages[0]).to.be.closeTo(Math.min(...blends.map(Math.abs)), 1e-12);
  });

  it("of a group of one are 0 and leave the history alone, as do prompts that did not come", async () => {
    const prompts = { 1: { times: 3, mean: 0.5, std: 0.1 }, 7: { times: 1, mean: 0, std: 0 } };
    const { advantages, state } = await estimate([5, 0, 1], [1, 2, 2], prompts);
    expect((advantages as number[])[0]).to.equal(0);
    expect((state as DcpoState).prompts)
      .to.deep.include(prompts)
      .and.have.property("2");
  });

  it("survive a checkpoint: the state is plain data keyed by prompt", async () => {
    const first = await estimate([1, 0], [3, 3]);
    const restored = JSON.parse(JSON.stringify(first.state)) as DcpoState;
    const [again, same] = [
      await estimate([1, 1], [3, 3], restored.prompts),
      await estimate([1, 1], [3, 3], (first.state as DcpoState).prompts),
    ];
    expect(again.advantages).to.deep.equal(same.advantages);
    expect((first.state as DcpoState).prompts["3"]!.times).to.equal(1);
  });
});
