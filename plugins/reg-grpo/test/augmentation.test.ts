import { Random } from "@proximal/core";
import { expect } from "chai";
import { type Augmentation, augmentationOf } from "../src/augmentation.js";
import { maskedText, pathPrefix } from "../src/perturb.js";

const o = { window: 2, deadZone: 0.1, slope: 2 };
const nothing: Augmentation = { difficulty: 0, mode: "none", strength: 0 };

describe("Reg-GRPO's difficulty", () => {
  const cases: [promise: string, buffer: number[][], mean: number, augmentation: Augmentation][] = [
    ["is 0 without rewards to compare with", [], 0.3, nothing],
    ["is 0 when the batches hold none", [[], []], 0.3, nothing],
    ["takes all rewards of the last batches as one set", [[9], [1, 1, 1], [0]], 0.5, { difficulty: 0.25, mode: "easier", strength: 0.5 }],
    ["takes the batches that there are", [[1]], 0.75, { difficulty: 0.25, mode: "easier", strength: 0.5 }],
    ["leaves prompts inside the dead zone alone", [[0.5]], 0.4375, { difficulty: 0.0625, mode: "none", strength: 0 }],
    ["makes easy prompts harder", [[0.5]], 0.75, { difficulty: -0.25, mode: "harder", strength: 0.5 }],
    ["has strength 1 at most", [[1]], 0, { difficulty: 1, mode: "easier", strength: 1 }],
  ];
  for (const [promise, buffer, mean, augmentation] of cases) {
    it(promise, () => expect(augmentationOf(buffer, mean, o)).to.deep.equal(augmentation));
  }
});

describe("a shown path", () => {
  const path = Int32Array.of(1, 2, 3, 4);
  const cases: [promise: string, path: Int32Array, strength: number, maxTokens: number, shown: number[]][] = [
    ["is as long as its strength", path, 0.5, 9, [1, 2]],
    ["leaves the last token to the policy", path, 1, 9, [1, 2, 3]],
    ["leaves room for one token", path, 1, 3, [1, 2]],
    ["is empty for a weak hint", path, 0.2, 9, []],
    ["is empty without a path", new Int32Array(), 1, 9, []],
  ];
  for (const [promise, tokens, strength, maxTokens, shown] of cases) {
    it(promise, () => expect([...pathPrefix(tokens, strength, maxTokens)]).to.deep.equal(shown));
  }
});

describe("a masked context", () => {
  const masked = (strength: number) => maskedText("Ann has  four\napples", strength, "_", new Random(5));

  it("loses words in proportion and keeps its white space", () => {
    expect(masked(0)).to.equal("Ann has  four\napples");
    expect(masked(1)).to.equal("_ _  _\n_");
    expect(
      masked(0.5)
        .split(/\s+/)
        .filter((word) => word === "_").length,
    ).to.equal(2);
  });

  it("depends on the stream alone", () => expect(masked(0.5)).to.equal(masked(0.5)));
});
