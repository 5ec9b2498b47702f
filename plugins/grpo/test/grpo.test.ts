import { readFileSync } from "node:fs";
import { ClipGate, GroupNormalizedAdvantage, KlRegularizer, runAdvantage, runTerms } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import plugin, { DppoGate } from "../src/index.js";

const peers = new URL("../../vectors/peers.json", import.meta.url);

testVectors(new URL("../../vectors/grpo.json", import.meta.url), conformance);
testVectors(peers, conformance);

testTerms("the clip gate with a KL term", [{ component: ClipGate }, { component: KlRegularizer, coefficient: 0.04 }]);
testTerms("the dppo gate with a drift term", [{ component: DppoGate, options: { maskLow: 0.05, maskHigh: 0.02, driftCoef: 0.1 } }]);

describe("The gate dppo", () => {
  const table: [what: string, oldLogp: number, logp: number, advantage: number, gradient: number][] = [
    ["drops a token that rose by 0.3 at A > 0", Math.log(0.3), Math.log(0.6), 1, 0],
    ["keeps it at A < 0", Math.log(0.3), Math.log(0.6), -1, 2],
    ["drops a token that fell by 0.3 at A < 0", Math.log(0.6), Math.log(0.3), -1, 0],
    ["keeps it at A > 0", Math.log(0.6), Math.log(0.3), 1, -0.5],
    ["keeps a rare token whose ratio is 100", Math.log(0.001), Math.log(0.1), 1, -100],
  ];
  for (const [what, oldLogp, logp, advantage, gradient] of table) {
    it(what, () => {
      const inputs = { logp: [[logp]], oldLogp: [[oldLogp]], advantages: [advantage] };
      expect(runTerms({ component: DppoGate, options: {} }, inputs, { aggregation: "token-mean" }).gradLogp[0]![0]).to.be.closeTo(
        gradient,
        1e-12,
      );
    });
  }
});

/** One token a response, where the policy is its reference still. */
const onReference = (rows: number) => ({
  oldLogp: Array.from({ length: rows }, () => [-1]),
  refLogp: Array.from({ length: rows }, () => [-1]),
});

describe("GRPO's presets on rewards [1, 0, 0, 0]", () => {
  const published: [preset: string, first: number][] = [
    ["grpo@trl", 1.4997],
    ["grpo@verl", 1.499997],
    ["grpo@skyrl", 1.499997],
    ["grpo@openrlhf", 1.5],
    ["grpo@prime-rl", 0.75],
    ["grpo@tinker", 0.75],
  ];
  for (const [preset, first] of published) {
    it(`${preset} gives the first response an advantage of ${first}`, async () => {
      const { use: _, ...options } = plugin.algorithms![preset]!.compose.advantage!;
      const { advantages } = await runAdvantage(GroupNormalizedAdvantage, options, {
        rewards: [1, 0, 0, 0],
        group: [0, 0, 0, 0],
        ...onReference(4),
      });
      expect((advantages as number[]).flat()[0]).to.be.closeTo(first, 1e-6);
    });
  }
});

describe("GRPO's presets, exactly", () => {
  // One group with the rewards 1, 0, 0, 0 (mean 1/4, sample std 1/2) and responses of 1, 3, 2 and 2 tokens, on-policy: the first
  // token's gradient is -A times its weight in the loss; a lone response with the reward 2 shows the rule for groups of one.
  const lengths = [1, 3, 2, 2];
  const logp = lengths.map((n) => new Array<number>(n).fill(-1));
  const table: [preset: string, gradient: number, lone: number][] = [
    ["grpo", -(0.75 / (0.5 + 1e-6)) / 4, 0],
    ["grpo@paper", -(0.75 / (0.5 + 1e-6)) / 4, 0],
    ["grpo@trl", -(0.75 / (0.5 + 1e-4)) / 8, 0],
    ["grpo@verl", -(0.75 / (0.5 + 1e-6)) / 8, 2 / (1 + 1e-6)],
    ["grpo@skyrl", -(0.75 / (0.5 + 1e-6)) / 8, 2 / (1 + 1e-6)],
    ["grpo@openrlhf", -(0.75 / (0.5 + 1e-9)) / 8, 0],
    ["grpo@prime-rl", -0.75 / 8, 0],
    ["grpo@tinker", -0.75, 0],
  ];
  const gateOf = (id: unknown) => (id === "dppo" ? DppoGate : ClipGate);
  for (const [preset, gradient, lone] of table) {
    it(`${preset}: gradient ${gradient.toFixed(6)}, a group of one ${lone.toFixed(6)}`, async () => {
      const { aggregation, compose } = plugin.algorithms![preset]!;
      const { use: _advantage, ...advantageOptions } = compose.advantage!;
      const { use: _gate, ...gateOptions } = compose.gate!;
      const estimate = async (rewards: number[], group: number[]) =>
        (await runAdvantage(GroupNormalizedAdvantage, advantageOptions, { rewards, group, ...onReference(rewards.length) }))
          .advantages as number[];
      const advantages = (await estimate([1, 0, 0, 0], [0, 0, 0, 0])).flat();
      const terms = { component: gateOf(compose.gate!.use), options: { ...gateOptions, aggregation } };
      const { gradLogp } = runTerms(terms, { logp, oldLogp: logp, advantages });
      expect(gradLogp[0]![0]).to.be.closeTo(gradient, 1e-12);
      expect((await estimate([2], [0])).flat()[0]).to.be.closeTo(lone, 1e-12);
    });
  }

  it("has an entry for every preset", () => {
    expect(table.map(([preset]) => preset).sort()).to.deep.equal(Object.keys(plugin.algorithms!).sort());
  });

  it("has vectors for every preset", () => {
    const { cases } = JSON.parse(readFileSync(peers, "utf8")) as { cases: { options: { preset: string } }[] };
    expect([...new Set(cases.map(({ options }) => options.preset))].sort()).to.deep.equal(Object.keys(plugin.algorithms!).sort());
  });
});
