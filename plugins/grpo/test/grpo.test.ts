import { ClipGate, GroupNormalizedAdvantage, KlRegularizer, runAdvantage } from "@proximal/core";
import { testTerms, testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import plugin from "../src/index.js";

testVectors(new URL("../../vectors/grpo.json", import.meta.url), conformance);

testTerms("the clip gate with a KL term", [{ component: ClipGate }, { component: KlRegularizer, coefficient: 0.04 }]);

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
      const { advantages } = await runAdvantage(GroupNormalizedAdvantage, options, { rewards: [1, 0, 0, 0], group: [0, 0, 0, 0] });
      expect((advantages as number[])[0]).to.be.closeTo(first, 1e-6);
    });
  }
});
