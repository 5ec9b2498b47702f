import { expect } from "chai";
import { cosineLength, cosineLengthOptions } from "../../src/index.js";

const o = { minCorrect: 0.5, maxCorrect: 1, minWrong: 0, maxWrong: -0.5, maxLength: 100, clampProgress: false };

describe("the cosine length reward", () => {
  const table: [promise: string, correct: boolean, length: number, clampProgress: boolean, reward: number][] = [
    ["is maxCorrect for an empty right answer", true, 0, false, 1],
    ["is half-way at half the length", true, 50, false, 0.75],
    ["is minCorrect for a right answer of maxLength", true, 100, false, 0.5],
    ["is minWrong for an empty wrong answer", false, 0, false, 0],
    ["is maxWrong for a wrong answer of maxLength", false, 100, false, -0.5],
    ["starts again at twice maxLength when not clamped", true, 200, false, 1],
    ["stays at its end beyond maxLength when clamped", true, 200, true, 0.5],
  ];
  for (const [promise, correct, length, clampProgress, reward] of table) {
    it(promise, () => expect(cosineLength(correct, length, { ...o, clampProgress })).to.be.closeTo(reward, 1e-12));
  }

  it("takes its defaults from the paper that uses it", () => {
    const schema = cosineLengthOptions(o);
    expect(schema.properties.maxWrong).to.have.property("default", -0.5);
  });
});
