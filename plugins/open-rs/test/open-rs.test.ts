import { runReward } from "@proximal/core";
import { testVectors } from "@proximal/core/testing";
import { expect } from "chai";
import conformance from "../src/conformance.js";
import { formatReward, OpenRsReward } from "../src/index.js";

testVectors(new URL("../../vectors/open-rs.json", import.meta.url), conformance);

describe("Open-RS", () => {
  const formats: [promise: string, completion: string, format: number][] = [
    ["accepts one end of thinking on its own line", "a\n</think>\nb", 1],
    ["refuses two of them", "a\n</think>\nb\n</think>\nc", 0],
    ["counts occurrences that share a line break once", "\n</think>\n</think>\n", 1],
    ["refuses one inside a line", "a</think>\nb", 0],
  ];
  for (const [promise, completion, format] of formats) it(promise, () => expect(formatReward(completion)).to.equal(format));

  const scored = (options: object) =>
    runReward(
      OpenRsReward,
      { ...options },
      { completions: ["ab\n</think>\n7", "x", "y"], lengths: [100, 500, 3], group: [0, 0, 0] },
      { inner: { rewards: [1, 0, Number.NaN] } },
    );

  it("counts characters, and tokens where it is told to", async () => {
    const chars = (await scored({ maxLength: 13 })).cosine as number[];
    expect(chars[0]).to.equal(0.5 + 0.25 * (1 + Math.cos((Math.PI * 13) / 13)));
    const tokens = (await scored({ lengthUnit: "tokens" })).cosine as number[];
    expect(tokens[1]).to.be.closeTo(-0.25, 1e-12);
  });

  it("gives a response without a usable gold answer the full cosine reward, and does not count it as correct", async () => {
    const { rewards, correct } = await scored({});
    expect(rewards[2]).to.equal(2);
    expect((correct as number[])[2]).to.be.NaN;
  });

  it("punishes longer wrong answers more under the recipe's bounds", async () => {
    const { cosine } = await runReward(
      OpenRsReward,
      {},
      { completions: ["a", "a".repeat(900)], group: [0, 0] },
      { inner: { rewards: [0, 0] } },
    );
    const [short, long] = cosine as [number, number];
    expect(long).to.be.below(short);
  });
});
